import { written } from './compare.ts'
import { type JsonNode, member, readJson } from './json-document.ts'
import { header, type Recording, type WireAnswer } from './recording.ts'

export interface Damage {
  readonly kind: string
  readonly answer: WireAnswer
}

/** Wrong answers made of a recorded one: each must be found to differ. */
export function damages(recording: Recording): Damage[] {
  const { answer, request } = recording
  return [
    { kind: 'status', answer: { ...answer, status: answer.status === 200 ? 201 : 200 } },
    ...damagedHeaders(answer, request.method),
    ...(answer.body === undefined || answer.body === '' ? [] : damagedBodies(recording, answer.body)),
  ]
}

function damagedHeaders(answer: WireAnswer, method: string): Damage[] {
  const { headers } = answer
  const of = (kind: string, changed: WireAnswer['headers']) => ({ kind, answer: { ...answer, headers: changed } })
  const i = headers.length - 1
  const [last, before] = [headers[i]!, headers[i - 1]!]
  return [
    of('header missing', headers.slice(0, -1)),
    of('header added', [...headers, ['x-more', '1']]),
    of('headers in another order', [...headers.slice(0, -2), last, before]),
    of('header in another case', headers.with(i, [last[0].toUpperCase(), last[1]])),
    of('header with another value', headers.with(1, [headers[1]![0], `${headers[1]![1]}!`])),
    ...headers.flatMap(([name, value], at) =>
      name === 'content-length' && (method !== 'HEAD' || value !== '')
        ? [of('wrong length', headers.with(at, [name, String(Number(value) + 1)]))]
        : [],
    ),
  ]
}

function damagedBodies({ answer }: Recording, body: string): Damage[] {
  const type = header(answer, 'content-type') ?? ''
  /** With the length that the damaged body has. */
  const of = (kind: string, changed: string): Damage => ({
    kind,
    answer: {
      ...answer,
      body: changed,
      headers: answer.headers.map(([name, value]) => [
        name,
        name === 'content-length' ? String(Buffer.byteLength(changed)) : value,
      ]),
    },
  })
  if (type.startsWith('text/event-stream')) return damagedStreams(body).map(([kind, changed]) => of(kind, changed))
  if (type !== 'application/json') return [of('text', `${body.slice(0, -1)}#`)]
  return damagedDocuments(body).map(([kind, changed]) => of(kind, changed))
}

function damagedStreams(body: string): (readonly [string, string])[] {
  const events = body.split('\n\n').slice(0, -1)
  const text = (changed: readonly string[]) => `${changed.join('\n\n')}\n\n`
  const last = events.length - 1
  return [
    ['last event missing', text(events.slice(0, -1))],
    ...(/"role"|^event: |"error"/.test(events[0]!) ? [['first event missing', text(events.slice(1))] as const] : []),
    ['last event twice', text([...events, events[last]!])],
    ['events in another order', text([...events.slice(0, -2), events[last]!, events[last - 1]!])],
    ['end of event missing', `${events.join('\n\n')}\n`],
    ['no space after data:', text(events.with(0, events[0]!.replace('data: ', 'data:')))],
    ...[0, last - 1].flatMap((i) => {
      const at = events[i]!.indexOf('data: ') + 'data: '.length
      return damagedDocuments(events[i]!.slice(at)).map(([kind, changed]): [string, string] => [
        `event with ${kind}`,
        text(events.with(i, events[i]!.slice(0, at) + changed)),
      ])
    }),
  ]
}

function damagedDocuments(body: string): [string, string][] {
  if (!body.startsWith('{')) return [['other data', `${body} `]]
  const { root, separators } = readJson(body)
  const spaced = separators.includes(': ')
  const plain = (node: JsonNode) =>
    spaced ? written(node).replaceAll('":', '": ').replaceAll(',"', ', "') : written(node)
  return [
    ...some(paths(root)).map((path, i): [string, string] => {
      const [kind, change] = CHANGES[i % CHANGES.length]!
      return [kind, plain(changed(root, path, change))]
    }),
    ...(root.kind === 'object' && root.entries.length > 1
      ? [['keys in another order', plain({ kind: 'object', entries: root.entries.toReversed() })] as [string, string]]
      : []),
    ...(separators.length > 0
      ? [['other separators', spaced ? body.replace('": ', '":') : body.replace('":', '": ')] as [string, string]]
      : []),
  ]
}

/** At most so many of a document, from all of it. */
const MANY = 20

const some = <T>(all: readonly T[]): readonly T[] => {
  const stride = Math.max(1, Math.ceil(all.length / MANY))
  return all.filter((_, i) => i % stride === 0)
}

type Entry = readonly [string, JsonNode]

const CHANGES: readonly (readonly [kind: string, change: (...entry: Entry) => readonly Entry[]])[] = [
  ['a key renamed', (key, value) => [[`${key}x`, value]]],
  ['a key missing', () => []],
  [
    'a key added',
    (key, value) => [
      [key, value],
      ['more', value],
    ],
  ],
  ['a value of another kind', (key, value) => [[key, other(value)]]],
  [
    'keys in another order',
    (key, value) => [
      ['more', value],
      [key, value],
    ],
  ],
]

/** The way to every key; keys that are tokens, of which there may be one more or less, are left out. */
function paths(node: JsonNode, map = false): string[][] {
  if (node.kind === 'array')
    return node.items.flatMap((item, i) => paths(item, map).map((path) => [String(i), ...path]))
  if (node.kind !== 'object') return []
  const tokens = map && member(node, 'logprob') === undefined
  return node.entries.flatMap(([key, value]) => [
    ...(tokens ? [] : [[key]]),
    ...paths(value, key === 'top_logprobs' || key === 'prompt_logprobs').map((path) => [key, ...path]),
  ])
}

function changed(node: JsonNode, path: readonly string[], change: (...entry: Entry) => readonly Entry[]): JsonNode {
  const [first, ...rest] = path
  if (node.kind === 'array')
    return {
      kind: 'array',
      items: node.items.map((item, i) => (String(i) === first ? changed(item, rest, change) : item)),
    }
  if (node.kind !== 'object') return node
  return {
    kind: 'object',
    entries: node.entries.flatMap(([key, value]): readonly Entry[] => {
      if (key !== first) return [[key, value]]
      return rest.length === 0 ? change(key, value) : [[key, changed(value, rest, change)]]
    }),
  }
}

/** A value that can stand in no place where this one stands. */
const other = (node: JsonNode): JsonNode =>
  node.kind === 'object' || node.kind === 'array' ? { kind: 'number', text: '7' } : { kind: 'array', items: [] }
