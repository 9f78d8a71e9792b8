import type { JsonNode } from './json-document.ts'
import { member } from './json-document.ts'
import type { Relaxation } from './relaxations.ts'

const MARK: JsonNode = { kind: 'string', value: '«text or calls»' }

/** A message in which tools may be called: whether they are, or the text was cut before, is left open. */
export function toolMessage(message: JsonNode, used: Set<Relaxation>): JsonNode {
  if (message.kind !== 'object') return message
  const calls = member(message, 'tool_calls')
  const content = member(message, 'content')
  const text = content?.kind === 'string' || (content?.kind === 'literal' && content.text === 'null')
  if (!text || (calls !== undefined && !isCalls(calls))) return message
  used.add('tools')
  return {
    kind: 'object',
    entries: message.entries.flatMap(([name, child]) => {
      if (name === 'tool_calls') return []
      return [[name, name === 'content' ? MARK : child] as const]
    }),
  }
}

/** The same of a delta, in each of the forms that it may have. */
export function toolDelta(delta: JsonNode, used: Set<Relaxation>): JsonNode {
  const keys = keysOf(delta)
  const calls = member(delta, 'tool_calls')
  const right =
    keys === '' ||
    (keys === 'content' && member(delta, 'content')?.kind === 'string') ||
    (keys === 'content,tool_calls' && calls?.kind === 'array' && calls.items.every(isCallDelta))
  if (!right) return delta
  used.add('tools')
  return MARK
}

const keysOf = (node: JsonNode | undefined) =>
  node?.kind === 'object' ? node.entries.map(([name]) => name).join() : 'no object'

const isCalls = (calls: JsonNode) =>
  calls.kind === 'array' &&
  calls.items.length > 0 &&
  calls.items.every((call) => formOf(call) === 'id:string type:string function(name:string arguments:string)')

const isCallDelta = (call: JsonNode) =>
  formOf(call) === 'id:string type:string index:number function(name:string)' ||
  formOf(call) === 'index:number function(arguments:string)'

/** Keys and kinds. */
const formOf = (node: JsonNode): string =>
  node.kind !== 'object'
    ? node.kind
    : node.entries
        .map(([key, value]) => (value.kind === 'object' ? `${key}(${formOf(value)})` : `${key}:${value.kind}`))
        .join(' ')
