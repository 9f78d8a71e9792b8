import { createHash } from 'node:crypto'
import { endsWithText, mayCallTools } from './ends-with-text.ts'
import { compareHeaders } from './headers.ts'
import { type JsonNode, readJson } from './json-document.ts'
import { compareMetrics } from './metrics.ts'
import { type Normalising, normalised } from './normalise.ts'
import { header, type Recording, requestObject, type WireAnswer } from './recording.ts'
import type { Relaxation } from './relaxations.ts'
import { compareStreams } from './streams.ts'

/** One thing in which two answers to one request differ and may not. */
export interface Difference {
  /** `status`, `header vary`, `$.choices[0].index`, `event 3 $.usage`, `line 14`. */
  readonly where: string
  readonly expected: string
  readonly actual: string
}

export interface Comparison {
  readonly differences: readonly Difference[]
  /** Relaxations that were needed: without one of them there would be a difference, or there might. */
  readonly relaxed: ReadonlySet<Relaxation>
}

export interface Comparing {
  /** The server reads its answers by a parser of tools: a delta without text is empty. */
  readonly parser?: boolean
  /** Routes that were asked: series of HTTP metrics of others are left out. Undefined: the server was asked all that the recorded one was. */
  readonly handlers?: ReadonlySet<string>
}

/** Compares an answer to the recorded one of the same request. */
export function compareAnswers(recording: Recording, actual: WireAnswer, options: Comparing = {}): Comparison {
  const expected = recording.answer
  const used = new Set<Relaxation>()
  const status: Difference[] =
    expected.status === actual.status
      ? []
      : [{ where: 'status', expected: String(expected.status), actual: String(actual.status) }]
  const differences = [
    ...status,
    ...compareHeaders(recording, actual, used),
    ...compareBodies(recording, actual, options, used),
  ]
  return { differences, relaxed: used }
}

function compareBodies(
  recording: Recording,
  actual: WireAnswer,
  options: Comparing,
  used: Set<Relaxation>,
): readonly Difference[] {
  const expected = recording.answer
  const body = actual.body ?? ''
  if (expected.sha256 !== undefined) {
    used.add('unkept')
    const digest = createHash('sha256').update(body).digest('hex')
    return digest === expected.sha256 ? [] : [{ where: 'digest', expected: expected.sha256, actual: digest }]
  }
  const type = header(expected, 'content-type') ?? ''
  if (expected.outline !== undefined || /^(?:text\/plain; version=|application\/openmetrics)/.test(type))
    return compareMetrics(expected, body, options.handlers, used)
  const about = normalising(recording, type, options, used)
  if (type.startsWith('text/event-stream')) return compareStreams(expected.body ?? '', actual, about)
  if (type === 'application/json' && expected.status === 200) return compareDocuments(expected.body ?? '', body, about)
  return expected.body === body ? [] : [{ where: 'body', expected: shown(expected.body ?? ''), actual: shown(body) }]
}

const shown = (text: string) => JSON.stringify(text.length > 700 ? `${text.slice(0, 700)}…` : text)

function normalising(recording: Recording, type: string, options: Comparing, used: Set<Relaxation>) {
  const ends = endsWithText(recording)
  return (): Normalising => ({
    request: requestObject(recording.request),
    endsWithText: ends,
    mayCallTools: mayCallTools(recording),
    parser: options.parser === true,
    streamed: type.startsWith('text/event-stream'),
    names: new Map(),
    used,
  })
}

function compareDocuments(expected: string, actual: string, about: () => Normalising): readonly Difference[] {
  if (expected === actual) return []
  let documents: ReturnType<typeof readJson>[]
  try {
    documents = [readJson(expected), readJson(actual)]
  } catch {
    return [{ where: 'body', expected: shown(expected), actual: shown(actual) }]
  }
  const [one, other] = documents as [ReturnType<typeof readJson>, ReturnType<typeof readJson>]
  return [
    ...compareStyle('$', one, other),
    ...compareNodes('$', normalised(one.root, about()), normalised(other.root, about())),
  ]
}

/** How the documents are written: their separators, and their escapes. */
function compareStyle(
  where: string,
  expected: ReturnType<typeof readJson>,
  actual: ReturnType<typeof readJson>,
): readonly Difference[] {
  const differences: Difference[] = []
  const say = (of: string, one: string, other: string) =>
    differences.push({ where: `${where} ${of}`, expected: one, actual: other })
  const [one, other] = [expected.separators.join(''), actual.separators.join('')]
  if (one !== other) say('separators', one, other)
  if (expected.ascii !== undefined && actual.ascii !== undefined && expected.ascii !== actual.ascii)
    say('characters outside ASCII', expected.ascii ? 'escaped' : 'raw', actual.ascii ? 'escaped' : 'raw')
  if (actual.oddStrings.length > 0) say('escapes', 'those of Python', actual.oddStrings.join(' '))
  return differences
}

/** Differences of two normalised documents: of kinds, keys, their order, lengths, values. */
export function compareNodes(where: string, expected: JsonNode, actual: JsonNode): readonly Difference[] {
  if (expected.kind === 'object' && actual.kind === 'object') {
    const [keys, others] = [expected, actual].map((node) => node.entries.map(([key]) => key).join(', '))
    if (keys !== others) return [{ where: `${where} keys`, expected: keys!, actual: others! }]
    return expected.entries.flatMap(([key, value], i) => compareNodes(`${where}.${key}`, value, actual.entries[i]![1]))
  }
  if (expected.kind === 'array' && actual.kind === 'array') {
    const [n, m] = [expected.items.length, actual.items.length]
    if (n !== m) return [{ where: `${where} length`, expected: String(n), actual: `${m}: ${shown(written(actual))}` }]
    return expected.items.flatMap((item, i) => compareNodes(`${where}[${i}]`, item, actual.items[i]!))
  }
  const [one, other] = [written(expected), written(actual)]
  return one === other ? [] : [{ where, expected: one, actual: other }]
}

/** A node as compact JSON. */
export function written(node: JsonNode): string {
  if (node.kind === 'object') return `{${node.entries.map(([k, v]) => `${JSON.stringify(k)}:${written(v)}`).join()}}`
  if (node.kind === 'array') return `[${node.items.map(written).join()}]`
  return node.kind === 'string' ? JSON.stringify(node.value) : node.text
}
