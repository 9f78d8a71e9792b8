import fc from 'fast-check'
import { oracleSuite } from '../../fixtures/oracles/suite.ts'
import { qosClass } from '../apiserver/strategies/qos.ts'
import { resolveFenceposts } from '../controllers/deployment/fenceposts.ts'
import { untilNextAvailable } from '../controllers/next-available.ts'
import { podLimits, podRequests } from '../scheduler/framework/pod-requests.ts'
import {
  type FieldRequirement,
  FieldSelectorError,
  fieldsMatch,
  parseFieldSelector,
  parseMetaFieldSelector,
} from './field-selector.ts'
import { FIELD_SELECTORS, fieldSelectorText, fieldSets } from './oracle/fields.ts'
import { maybe, pod, podsOf, time } from './oracle/pods.ts'
import * as cases from './oracle/text.ts'
import { isActive, isAvailable, isReady, isTerminating } from './pods.ts'
import * as q from './quantity.ts'
import { parseSelector } from './selector-text.ts'
import { labelSelector, nodeSelector, SelectorError } from './selectors.ts'

const REACHED = {
  'apimachinery resource: parse, write, round, add, compare':
    /api\/resource\/(quantity|suffix|amount|math|scale_int)\.go:/,
  'apimachinery labels: selectors': /pkg\/labels\/selector\.go:/,
  'apimachinery fields: selectors': /pkg\/fields\/selector\.go:/,
  'component-helpers resource: PodRequests, PodLimits':
    /component-helpers\/resource\/helpers\.go:.*(PodRequests|PodLimits|Aggregate|addResourceList|maxResourceList|IsPodLevel|IsSupported|applyNonMissing)/,
  'qos.go: ComputePodQOS': /helper\/qos\/qos\.go:.*ompute/,
}

const { compare, judge } = await oracleSuite('pure', REACHED)
const within = { timeout: 300_000 }

/** Exact in a double, where upstream's int64 goes on; upstream rounds what is negative and not whole now up, now down. */
const comparable = (nanos: bigint, unit: bigint): boolean =>
  nanos / unit <= SAFE && nanos / unit >= -SAFE && (nanos >= 0n || nanos % unit === 0n)
const SAFE = BigInt(Number.MAX_SAFE_INTEGER)

function orError(answer: () => unknown): unknown {
  try {
    return answer()
  } catch (error) {
    if (error instanceof q.QuantityError || error instanceof SelectorError || error instanceof FieldSelectorError)
      return { error: error.message }
    throw error
  }
}

compare('quantities: text, format, value', within, () =>
  judge({
    area: 'quantities: canonical text, format, Value, MilliValue, errors',
    op: 'quantity',
    cases: fc.record({ text: cases.quantityText }),
    edges: cases.QUANTITIES.map((text) => ({ text })),
    runs: 20_000,
    ours: ({ text }) =>
      orError(() => {
        const parsed = q.parseQuantity(text)
        const { nanos, format } = parsed
        if (nanos < -(2n ** 63n)) return undefined
        const exact = (n: number, unit: bigint) => (comparable(nanos, unit) ? String(n) : 'not compared')
        return {
          text: q.formatQuantity(parsed),
          format,
          value: exact(q.wholeValueOf(parsed), 1_000_000_000n),
          milli: exact(q.milliValueOf(parsed), 1_000_000n),
          sign: nanos > 0n ? 1 : nanos < 0n ? -1 : 0,
        }
      }),
    theirs: (answer: { error?: string; value: string; milli: string }, { text }) => {
      if (answer.error !== undefined) return answer
      const { nanos } = q.parseQuantity(text)
      return {
        ...answer,
        value: comparable(nanos, 1_000_000_000n) ? answer.value : 'not compared',
        milli: comparable(nanos, 1_000_000n) ? answer.milli : 'not compared',
      }
    },
  }),
)

compare('quantities: sums, order', within, () =>
  judge({
    area: 'quantities: Add, Cmp',
    op: 'quantities',
    cases: fc.record({ a: cases.soundQuantity, b: cases.soundQuantity }),
    runs: 10_000,
    ours: ({ a, b }) =>
      orError(() => {
        const [x, y] = [q.parseQuantity(a), q.parseQuantity(b)]
        return { sum: q.formatQuantity(q.addQuantities(x, y)), compared: q.compareQuantities(x, y) }
      }),
  }),
)

compare('percentages', within, () =>
  judge({
    area: 'rollout: surge and unavailable together',
    op: 'fenceposts',
    cases: fc.record({
      surge: maybe(cases.bound),
      unavailable: maybe(cases.bound),
      desired: fc.integer({ min: 0, max: 10_000 }),
    }),
    runs: 5_000,
    ours: ({ surge, unavailable, desired }) => resolveFenceposts(surge, unavailable, desired),
  }),
)

compare('one bound', within, () =>
  judge({
    area: 'int-or-percent: scaled value, rounded up or down',
    op: 'percent',
    cases: fc.record({ value: cases.bound, total: fc.integer({ min: 0, max: 10_000 }), up: fc.boolean() }),
    runs: 5_000,
    ours: ({ value, total, up }) => ({
      n: up ? resolveFenceposts(value, 1, total).surge : resolveFenceposts(1, value, total).unavailable,
    }),
  }),
)

compare('selectors from text', within, () =>
  judge({
    area: 'label selectors: text, matching, errors',
    op: 'selector',
    cases: fc.record({ text: cases.selectorText, sets: cases.labelSets }),
    edges: cases.SELECTORS.map((text) => ({
      text,
      sets: [{}, { a: '1' }, { a: 'b', b: '2' }] as Record<string, string>[],
    })),
    runs: 10_000,
    ours: ({ text, sets }) => {
      try {
        const selector = parseSelector(text)
        return { empty: selector.empty, matches: sets.map((set) => selector.matches(set)) }
      } catch (error) {
        if (error instanceof SelectorError) return { error: error.message }
        throw error
      }
    },
  }),
)

compare('label selectors of objects', within, () =>
  judge({
    area: 'label selectors of objects: matching, errors',
    op: 'labelSelector',
    cases: fc.record({ selector: cases.labelSelectorObject, sets: cases.labelSets }),
    runs: 10_000,
    ours: ({ selector, sets }) =>
      orError(() => {
        const made = labelSelector(selector)
        return { empty: made.empty, matches: sets.map((set) => made.matches(set)) }
      }),
  }),
)

compare('node selectors', within, () =>
  judge({
    area: 'node selectors: terms, fields, Gt and Lt',
    op: 'nodeSelector',
    cases: fc.record({ selector: cases.nodeSelectorObject, nodes: cases.nodes }),
    runs: 10_000,
    ours: ({ selector, nodes }) => ({ matches: nodes.map(nodeSelector(selector.nodeSelectorTerms)) }),
  }),
)

compare('pods', within, () =>
  judge({
    area: 'pods: ready, available, active, terminating, QoS class, requests and limits',
    op: 'podFacts',
    cases: fc.record({ pod, minReady: fc.constantFrom(0, 1, 30, 600, 3600), now: time }),
    runs: 10_000,
    ours: ({ pod: item, minReady, now }) => ({
      ready: isReady(item),
      available: isAvailable(item, minReady, now),
      active: isActive(item),
      terminating: isTerminating(item),
      qos: qosClass(item.spec),
      requests: listed(podRequests(item.spec)),
      limits: listed(podLimits(item.spec)),
    }),
  }),
)

const listed = (amounts: ReadonlyMap<string, q.Quantity>) =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, q.formatQuantity(amount)]))

compare('when the next pod will be available', within, () =>
  judge({
    area: 'when the next pod becomes available',
    op: 'nextAvailable',
    cases: fc.record({
      pods: podsOf(6),
      minReady: fc.constantFrom(1, 30, 600, 3600),
      before: time,
      now: time,
    }),
    runs: 5_000,
    ours: ({ pods, minReady, before, now }) =>
      now < before ? undefined : { after: untilNextAvailable(pods, minReady, before, now) },
    // nobody to wait for: its callers wait for the whole time
    theirs: ({ after }: { after: number | null }, { minReady }) => ({ after: after ?? minReady * 1e6 }),
  }),
)

compare('field selectors', within, () =>
  judge({
    area: 'field selectors: text, matching, which fields, errors',
    op: 'fieldSelector',
    cases: fc.record({ text: fieldSelectorText, known: fc.boolean(), sets: fieldSets }),
    edges: FIELD_SELECTORS.map((text) => ({ text, known: false, sets: [{ a: '1', x: 'a' }] })),
    runs: 10_000,
    ours: ({ text, known, sets }) =>
      orError(() => {
        const all = known ? parseMetaFieldSelector(text) : parseFieldSelector(text)
        return { empty: all.length === 0, matches: sets.map((set) => fieldsMatch(all, set)), text: fieldText(all) }
      }),
  }),
)

const fieldText = (all: readonly FieldRequirement[]): string =>
  all.map(({ field, equal, value }) => `${field}${equal ? '=' : '!='}${value.replaceAll(/[\\,=]/g, '\\$&')}`).join(',')
