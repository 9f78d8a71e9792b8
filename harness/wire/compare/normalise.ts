import { type JsonNode, member } from './json-document.ts'
import type { Relaxation } from './relaxations.ts'
import { toolDelta, toolMessage } from './tools.ts'

/** What the normalised form of an answer depends on. */
export interface Normalising {
  readonly request: Readonly<Record<string, unknown>> | undefined
  readonly endsWithText: boolean
  readonly mayCallTools: boolean
  /** A delta without text is empty. */
  readonly parser: boolean
  readonly streamed: boolean
  /** Random values by what stands for them: equal ones stay equal. */
  readonly names: Map<string, string>
  readonly used: Set<Relaxation>
}

/** The document with everything that may differ replaced by what stands for it. */
export function normalised(root: JsonNode, about: Normalising): JsonNode {
  return value(root, [], about)
}

const marked = (text: string): JsonNode => ({ kind: 'string', value: `«${text}»` })
const isInteger = (node: JsonNode) => node.kind === 'number' && /^\d+$/.test(node.text)
const isNull = (node: JsonNode | undefined) => node?.kind === 'literal' && node.text === 'null'
const ID = /^(chatcmpl-tool-|chatcmpl-|cmpl-|modelperm-|resp_|msg_)[0-9a-f]{16}$/
const TIME = new Set(['created', 'created_at', 'completed_at'])
const FINISHES = new Set(['stop', 'length', 'tool_calls'])
const FLOAT = /^-?(?:\d+\.\d+(?:e-?\d+)?|\de-\d+)$/

function value(node: JsonNode, path: readonly string[], about: Normalising): JsonNode {
  const key = path.at(-1) ?? ''
  const special = ofKey(key, node, path, about)
  if (special !== undefined) return special
  if (node.kind === 'array')
    return { kind: 'array', items: node.items.map((item, i) => value(item, [...path, String(i)], about)) }
  if (node.kind !== 'object') return node
  const role = key === 'delta' && member(node, 'role') !== undefined
  if (role) return node
  const whole: JsonNode = {
    kind: 'object',
    entries: node.entries.map(([name, child]) => [name, value(child, [...path, name], about)]),
  }
  if (about.mayCallTools && about.endsWithText && key === 'message') return toolMessage(whole, about.used)
  if (about.mayCallTools && about.endsWithText && key === 'delta') return toolDelta(whole, about.used)
  if (key === 'delta' && about.parser && whole.kind === 'object' && whole.entries.length === 0)
    return { kind: 'object', entries: [['content', text('', about)]] }
  return whole
}

/** Undefined: the value must be equal, or what it consists of must be. */
function ofKey(key: string, node: JsonNode, path: readonly string[], about: Normalising): JsonNode | undefined {
  const { used } = about
  const parent = path.at(-2) ?? ''
  if (node.kind === 'string') {
    if (ID.test(node.value) && /id$/.test(key)) return named('ids', ID.exec(node.value)![1]!, node.value, about)
    if (key === 'system_fingerprint') {
      used.add('fingerprint')
      return marked(node.value.replace(/[0-9a-f]{8}$/, '#'))
    }
    if (isText(key, parent)) return text(node.value, about)
    if (key === 'name' && parent === 'function') return toolName(node.value, about)
  }
  if (parent === 'metrics' && isNull(node) && about.endsWithText) return marked('duration')
  if (node.kind === 'number') {
    if (TIME.has(key) && /^\d{10}$/.test(node.text)) {
      if (about.streamed) return named('times', 'time ', node.text, about)
      used.add('times')
      return marked('time')
    }
    if (parent === 'metrics' && FLOAT.test(node.text)) {
      used.add('durations')
      return marked('duration')
    }
    if (key === 'sequence_number') {
      used.add('deltas')
      return marked('sequence')
    }
  }
  if (key === 'token_ids' && node.kind === 'array' && node.items.every(isInteger))
    return count('ids', node.items.length, about)
  if (key === 'logprobs' && node.kind === 'object') return logprobs(node, about)
  if (key === 'prompt_logprobs' && node.kind === 'array') return promptLogprobs(node, about)
  return ofEnding(key, node, path, about)
}

function ofEnding(key: string, node: JsonNode, path: readonly string[], about: Normalising): JsonNode | undefined {
  const parent = path.at(-2) ?? ''
  if (!about.endsWithText) return undefined
  if (key === 'finish_reason' && node.kind === 'string' && FINISHES.has(node.value)) {
    about.used.add('endings')
    return marked('finish')
  }
  if (key === 'stop_reason' && (isNull(node) || node.kind === 'string' || node.kind === 'number')) {
    about.used.add('endings')
    return marked('stop')
  }
  const ofResponse = path.length === 1 || parent === 'response'
  if (ofResponse && key === 'incomplete_details' && (isNull(node) || isCut(node))) return marked('ending')
  if (ofResponse && key === 'status' && node.kind === 'string' && /^(?:in)?complete/.test(node.value))
    return marked('ending')
  if (/usage$/.test(parent) && /^(?:completion|total|output)_tokens$/.test(key) && node.kind === 'number') {
    about.used.add('endings')
    return marked('count')
  }
  return undefined
}

const isCut = (node: JsonNode) => {
  const reason = member(node, 'reason')
  return (
    node.kind === 'object' &&
    node.entries.length === 1 &&
    reason?.kind === 'string' &&
    reason.value === 'max_output_tokens'
  )
}

const isText = (key: string, parent: string) =>
  (key === 'content' && (parent === 'message' || parent === 'delta')) ||
  key === 'text' ||
  key === 'reasoning' ||
  key === 'delta' ||
  key === 'arguments'

/** Random values are numbered as they first occur. */
function named(relaxation: Relaxation, prefix: string, secret: string, { names, used }: Normalising): JsonNode {
  used.add(relaxation)
  const name = names.get(secret) ?? `${prefix}#${names.size + 1}`
  names.set(secret, name)
  return marked(name)
}

/** What the request sent and asked to have echoed stays; a chat’s stream echoes it in a chunk of its own. */
function text(generated: string, { request, streamed, used }: Normalising): JsonNode {
  const sent = request?.['echo'] === true ? echoed(request) : []
  const found = sent.find((start) => start !== '' && generated.startsWith(start))
  const alone = request?.['max_tokens'] === 0 || (streamed && request?.['messages'] !== undefined)
  if (found !== undefined && generated === found && alone) return { kind: 'string', value: generated }
  used.add('text')
  return marked(`${found ?? ''}text`)
}

function echoed(request: Readonly<Record<string, unknown>>): string[] {
  const { prompt, messages } = request
  const last = Array.isArray(messages) ? (messages.at(-1) as { content?: unknown }) : undefined
  return [prompt, last?.content].flat().filter((sent) => typeof sent === 'string')
}

function toolName(name: string, { request, used }: Normalising): JsonNode | undefined {
  const tools = request?.['tools'] as readonly { function?: { name?: unknown } }[] | undefined
  if (!Array.isArray(tools) || !tools.some((tool) => tool.function?.name === name)) return undefined
  used.add('tools')
  return marked('tool')
}

/** Of generated things: how many matters where the request said so and the answer is whole. */
function count(of: string, n: number, { streamed, endsWithText, used }: Normalising): JsonNode {
  used.add('tokens')
  return marked(streamed || endsWithText ? of : `${of} × ${n}`)
}

function logprobs(node: JsonNode & { kind: 'object' }, about: Normalising): JsonNode {
  about.used.add('logprobs')
  return {
    kind: 'object',
    entries: node.entries.map(([name, list]) => [name, list.kind === 'array' ? each(list.items, about) : list]),
  }
}

/** Entries of one form in a row are one; with their number where that is the request’s. */
function each(items: readonly JsonNode[], about: Normalising): JsonNode {
  const forms = items.map((item) => likely(item, wanted(about, 'logprobs')))
  const runs = forms.filter((form, i) => JSON.stringify(form) !== JSON.stringify(forms[i - 1]))
  return { kind: 'array', items: [count('entries', items.length, about), ...runs] }
}

/** One token and its probability, in any of the forms in which they come. */
function likely(node: JsonNode, most: number): JsonNode {
  if (node.kind === 'number') return marked(FLOAT.test(node.text) ? 'float' : 'integer')
  if (node.kind === 'string') return marked('token')
  if (node.kind === 'array') return { kind: 'array', items: node.items.map((item) => likely(item, most)) }
  if (node.kind !== 'object') return node
  const known = member(node, 'logprob') !== undefined
  if (!known) {
    const right = node.entries.every(([, v]) => v.kind === 'number' && FLOAT.test(v.text))
    return marked(right && node.entries.length >= 1 && node.entries.length <= most + 1 ? 'top' : 'odd top')
  }
  return {
    kind: 'object',
    entries: node.entries.map(([name, child]) => {
      if (name === 'bytes' && child.kind === 'array') return [name, marked('bytes')]
      if (name === 'token' && child.kind === 'string')
        return [name, marked(/^token_id:\d+$/.test(child.value) ? 'token_id:' : 'token')]
      return [name, likely(child, most)]
    }),
  }
}

/** The prompt’s own tokens, whose ids and strings must be equal, come first in each map. */
function promptLogprobs(node: JsonNode & { kind: 'array' }, about: Normalising): JsonNode {
  about.used.add('logprobs')
  const most = wanted(about, 'prompt_logprobs')
  const items = node.items.map((item): JsonNode => {
    const n = item.kind === 'object' ? item.entries.length : 0
    if (item.kind !== 'object' || n < Math.max(1, most) || n > most + 1) return item
    const [id, entry] = item.entries[0]!
    if (!item.entries.every(([key, of]) => /^\d+$/.test(key) && isRanked(of))) return item
    return { kind: 'array', items: [marked(id), member(entry, 'decoded_token')!] }
  })
  return { kind: 'array', items }
}

const isRanked = (node: JsonNode) => {
  const [logprob, rank, token] = node.kind === 'object' ? node.entries : []
  return (
    node.kind === 'object' &&
    node.entries.map(([key]) => key).join() === 'logprob,rank,decoded_token' &&
    logprob![1].kind === 'number' &&
    FLOAT.test(logprob![1].text) &&
    isInteger(rank![1]) &&
    token![1].kind === 'string'
  )
}

/** How many top tokens besides its own the request wants of each. */
function wanted({ request }: Normalising, key: 'logprobs' | 'prompt_logprobs'): number {
  return Number(request?.[key] ?? request?.['top_logprobs'] ?? request?.['logprobs'] ?? 0)
}
