import type { OutputDelta } from '../tools/parser.ts'
import type { ToolAnswering } from './answering.ts'

/** What is new in a message. Fields left out are left out of the JSON. */
export interface Delta {
  readonly content?: string | null
  readonly reasoning?: null
  readonly calls?: readonly CallDelta[]
}

export interface CallDelta {
  readonly index: number
  /** Of a call that begins. */
  readonly id?: string
  readonly name?: string
  readonly arguments?: string
}

export const NOTHING: Delta = {}

/** News from a parser as a message tells them. In the last of an output the last call told has arguments, be they empty. */
// follows vllm/parser/abstract_parser.py finalize_generation
export function parsedDelta(
  delta: OutputDelta | undefined,
  tools: ToolAnswering,
  finished: boolean,
): Delta | undefined {
  if (!delta) return undefined
  if (delta.calls.length === 0) return { content: delta.content ?? null }
  const calls = delta.calls.map((call): CallDelta => ('name' in call ? { ...call, id: tools.newId() } : call))
  const last = calls.at(-1)!
  const ended = finished ? [...calls.slice(0, -1), { ...last, arguments: last.arguments ?? '{}' }] : calls
  return { content: delta.content ?? null, calls: ended }
}

export function deltaJson({ content, reasoning, calls }: Delta): string {
  const fields = [
    ...(content === undefined ? [] : [`"content":${JSON.stringify(content)}`]),
    ...(reasoning === undefined ? [] : ['"reasoning":null']),
    ...(calls === undefined || calls.length === 0 ? [] : [`"tool_calls":[${calls.map(callJson).join(',')}]`]),
  ]
  return `{${fields.join(',')}}`
}

function callJson({ index, id, name, arguments: given }: CallDelta): string {
  const begins = id === undefined ? '' : `"id":${JSON.stringify(id)},"type":"function",`
  const fields = [
    ...(name === undefined ? [] : [`"name":${JSON.stringify(name)}`]),
    ...(given === undefined ? [] : [`"arguments":${JSON.stringify(given)}`]),
  ]
  return `{${begins}"index":${index},"function":{${fields.join(',')}}}`
}
