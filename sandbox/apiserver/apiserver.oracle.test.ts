import fc from 'fast-check'
import { oracleSuite } from '../../fixtures/oracles/suite.ts'
import { merge } from '../journal/merge-patch.ts'
import { pod, time } from '../kube/oracle/pods.ts'
import { listOf } from './admission/amounts.ts'
import { podEvaluator } from './admission/evaluate-pods.ts'
import type { Evaluator } from './admission/evaluator.ts'
import { podBreaches } from './admission/limit-breaches.ts'
import { withDefaultLimits } from './admission/limit-ranger.ts'
import { matches } from './admission/quota.ts'
import { limitRange, quota } from './oracle/limits.ts'
import { applied, json, mergePatch } from './oracle/manifests.ts'
import { threeWay } from './three-way.ts'

const REACHED = {
  'quota: evaluator/core/pods.go': /evaluator\/core\/pods\.go:/,
  'limitranger: defaults and checks of pods':
    /limitranger\/admission\.go:(PodMutate|PodValidate|default|merge|min|max|limitRequest|requestLimit|pod|add)/,
  'strategicpatch/patch.go': /strategicpatch\/patch\.go:/,
}

const { compare, judge } = await oracleSuite('pure', REACHED)
const within = { timeout: 300_000 }

compare('quotas', within, () =>
  judge({
    area: 'quotas: what a pod uses, scopes, names, what containers must state',
    op: 'podQuota',
    cases: fc.record({ pod, quota, now: time }),
    runs: 10_000,
    ours: ({ pod: item, quota: limits, now }) => {
      const names = podEvaluator.matching(Object.keys(limits.status.hard ?? {})).sort()
      return {
        usage: listOf(podEvaluator.usage(item, now)),
        matches: matches(limits, podEvaluator as unknown as Evaluator, item),
        names,
        constraint: podEvaluator.constraint!(names, item),
      }
    },
    theirs: ({ names, ...answer }: { names: string[] | null }) => ({ ...answer, names: (names ?? []).sort() }),
  }),
)

compare('limit ranges', within, () =>
  judge({
    area: 'LimitRanges: defaults, annotation, breaches',
    op: 'limitRange',
    cases: fc.record({ pod, range: limitRange }),
    runs: 10_000,
    ours: ({ pod: item, range }) => {
      const full = withDefaultLimits(item, [range])
      const breaches = [...new Set(podBreaches(range, full))].sort()
      return {
        annotations: full.metadata.annotations ?? null,
        error: breaches.length === 0 ? undefined : breaches,
        resources: Object.fromEntries(
          [...(full.spec.initContainers ?? []), ...full.spec.containers].map(({ name, resources }) => [
            name,
            withoutEmpty(resources),
          ]),
        ),
      }
    },
    // upstream goes through maps: its breaches have no order
    theirs: (answer: { error?: string }) => ({
      ...answer,
      error: answer.error
        ?.replace(/^\[|\]$/g, '')
        .split(/, (?=minimum|maximum|\S+ max limit)/)
        .sort(),
    }),
  }),
)

/** Go leaves out empty maps. */
const withoutEmpty = (resources: object | undefined) =>
  Object.fromEntries(Object.entries(resources ?? {}).filter(([, list]) => Object.keys(list).length > 0))

compare('kubectl apply', within, () =>
  judge({
    area: 'kubectl apply: three-way strategic merge of Deployments',
    op: 'threeWay',
    cases: applied.map((item) => ({ ...item, kind: 'Deployment' })),
    runs: 5_000,
    ours: (item) => ({ result: threeWay({ ...item, lists: 'by key' }) }),
    theirs: ({ result }: { result: unknown }) => ({ result: decoded(result) }),
  }),
)

/** What a typed object takes of the result: directives and nulls that upstream leaves in added items are no fields. */
function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([key, field]) => !key.startsWith('$') && field !== null)
  return Object.fromEntries(fields.map(([key, field]) => [key, decoded(field)]))
}

compare('kubectl apply of custom resources', within, () =>
  judge({
    area: 'kubectl apply: three-way JSON merge',
    op: 'threeWay',
    cases: fc.record({ original: json, modified: json, live: json }),
    runs: 5_000,
    ours: (item) => ({ result: threeWay({ ...item, lists: 'whole' }) }),
  }),
)

compare('JSON merge patches', within, () =>
  judge({
    area: 'JSON merge patches',
    op: 'mergePatch',
    cases: fc.record({ target: json, patch: mergePatch }),
    runs: 10_000,
    ours: ({ target, patch }) => ({ result: merge(target, patch) }),
  }),
)
