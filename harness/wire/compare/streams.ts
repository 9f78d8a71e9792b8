import { compareNodes, type Difference, written } from './compare.ts'
import { readEvents, type StreamEvent } from './events.ts'
import { type JsonDocument, type JsonNode, member, readJson } from './json-document.ts'
import { type Normalising, normalised } from './normalise.ts'
import type { WireAnswer } from './recording.ts'

/** An event, normalised. */
interface Step {
  readonly event: string
  /** Undefined: the data is no JSON, as `[DONE]` is not. */
  readonly document: JsonDocument | undefined
  readonly node: JsonNode
  /** What distinguishes it: equal steps in a row are a run. */
  readonly form: string
  /** Of the choice whose delta it is. */
  readonly choice: string | undefined
  /** A delta before the last of its choice. */
  readonly inner: boolean
}

/** Two streams: the sequence of their events, and the form and values of each. */
export function compareStreams(
  expected: string,
  { body = '', chunks }: WireAnswer,
  about: () => Normalising,
): readonly Difference[] {
  const actual = readEvents(body)
  const odd = actual.odd.map((text) => ({ where: 'stream', expected: 'events', actual: text }))
  const torn = (chunks ?? []).filter((chunk) => !/^(?:event: .*\n)?data: .*\n\n$/.test(chunk))
  return [
    ...odd,
    ...(odd.length > 0 ? [] : torn).map((text) => ({
      where: 'chunk',
      expected: 'one event each',
      actual: JSON.stringify(text),
    })),
    ...compareSequences(stepsOf(readEvents(expected).events, about()), stepsOf(actual.events, about()), about()),
  ]
}

function stepsOf(events: readonly StreamEvent[], about: Normalising): Step[] {
  return events.map(({ event = '', data }) => {
    let document: JsonDocument
    try {
      document = readJson(data)
    } catch {
      const node: JsonNode = { kind: 'string', value: data }
      return { event, document: undefined, node, form: `${event} ${data}`, choice: undefined, inner: false }
    }
    const choice = firstItem(member(document.root, 'choices'))
    const index = member(choice, 'index')
    const inner = isInner(event, choice)
    const node = inner ? running(normalised(document.root, about), about) : normalised(document.root, about)
    const form = `${event} ${written(node)}`
    return { event, document, node, form, choice: index?.kind === 'number' ? index.text : undefined, inner }
  })
}

const firstItem = (node: JsonNode | undefined) => (node?.kind === 'array' ? node.items[0] : undefined)

/** A delta of text that others may be joined with: not the first, which has the role, and not the last, which has the reason. */
function isInner(event: string, choice: JsonNode | undefined): boolean {
  if (/\.delta$|_delta$/.test(event) && event !== 'message_delta') return true
  const reason = member(choice, 'finish_reason')
  return reason?.kind === 'literal' && member(member(choice, 'delta'), 'role') === undefined
}

/** Usage so far depends on how many deltas were joined. */
function running(node: JsonNode, { used }: Normalising): JsonNode {
  if (node.kind !== 'object') return node
  return {
    kind: 'object',
    entries: node.entries.map(([key, value]) => {
      if (key !== 'usage' || value.kind !== 'object') return [key, value]
      used.add('deltas')
      const entries = value.entries.map(([name, n]): readonly [string, JsonNode] =>
        /^(?:completion|total)_tokens$/.test(name) ? [name, { kind: 'string', value: '«so far»' }] : [name, n],
      )
      return [key, { kind: 'object', entries }]
    }),
  }
}

function compareSequences(expected: readonly Step[], actual: readonly Step[], about: Normalising): Difference[] {
  const [one, other] = [lanes(expected, about), lanes(actual, about)]
  const names = [...new Set([...one.keys(), ...other.keys()])]
  const [order, others] = [phases(expected), phases(actual)]
  return [
    ...compareStyles(expected, actual),
    ...names.flatMap((name) => compareLane(name, one.get(name) ?? [], other.get(name) ?? [], about)),
    ...(order === others ? [] : [{ where: 'order of events', expected: order, actual: others }]),
  ]
}

/** How all events together are written. */
function compareStyles(expected: readonly Step[], actual: readonly Step[]): readonly Difference[] {
  const style = (steps: readonly Step[]) =>
    [...new Set(steps.flatMap(({ document }) => document?.separators ?? []))].sort().join('')
  const odd = actual.flatMap(({ document }) => document?.oddStrings ?? [])
  const [one, other] = [style(expected), style(actual)]
  return [
    ...(one === other ? [] : [{ where: 'separators', expected: one, actual: other }]),
    ...(odd.length === 0 ? [] : [{ where: 'escapes', expected: 'those of Python', actual: odd.join(' ') }]),
  ]
}

/** Which kinds of events follow each other: those of choices, and those of none. */
const phases = (steps: readonly Step[]) =>
  steps
    .map(({ choice }) => (choice === undefined ? 'others' : 'choices'))
    .filter((kind, i, kinds) => kind !== kinds[i - 1])
    .join(', ')

/** The events of each choice, runs joined, and those of none; what opens a choice counts as of none. */
function lanes(steps: readonly Step[], { used }: Normalising): Map<string, Step[]> {
  const several = new Set(steps.map(({ choice }) => choice).filter((choice) => choice !== undefined)).size > 1
  if (several) used.add('choices')
  const lanes = new Map<string, Step[]>()
  for (const step of steps) {
    const opens = !step.inner && member(member(firstItem(member(step.node, 'choices')), 'delta'), 'role') !== undefined
    const name = several && step.choice !== undefined && !opens ? `choice ${step.choice}: ` : ''
    const lane = lanes.get(name) ?? []
    lanes.set(name, lane)
    if (step.inner && lane.at(-1)?.form === step.form) used.add('deltas')
    else lane.push(step)
  }
  return lanes
}

function compareLane(
  lane: string,
  expected: readonly Step[],
  actual: readonly Step[],
  about: Normalising,
): Difference[] {
  const [one, other] = about.endsWithText ? [outer(expected), outer(actual)] : [expected, actual]
  if (about.endsWithText) about.used.add('endings')
  const forms = new Set(expected.filter(({ inner }) => inner).map(({ form }) => form))
  const alien = about.endsWithText && forms.size > 0 && actual.find(({ inner, form }) => inner && !forms.has(form))
  if (alien) return [{ where: `${lane}delta`, expected: [...forms].join(' | '), actual: alien.form }]
  const n = Math.max(one.length, other.length)
  for (let i = 0; i < n; i++) {
    const [e, a] = [one[i], other[i]]
    const where = `${lane}event ${i + 1}`
    if (e === undefined || a === undefined)
      return [{ where, expected: e?.form.trim() ?? 'none', actual: a?.form.trim() ?? 'none' }]
    const differences = [
      ...(e.event === a.event ? [] : [{ where: `${where} name`, expected: e.event, actual: a.event }]),
      ...compareNodes(`${where} $`, e.node, a.node),
    ]
    // what follows a wrong event says little
    if (differences.length > 0) return differences
  }
  return []
}

/** Where the text ends by itself, there may be no delta before the last. */
const outer = (steps: readonly Step[]) => steps.filter(({ inner }) => !inner)
