import { badRequest } from '../errors.ts'
import { attributeError, iterate, numeric, typeError, typeName } from '../python/errors.ts'
import { characters } from '../python/json-scanner.ts'
import { pyStr } from '../python/text.ts'
import { isDict, isList, type PyDict, type PyValue, truthy } from '../python/value.ts'
import { checkStructuralTag, checkStructuralTagFormat } from './structural-tag.ts'

/** A validator of a body before its fields are. Throws a WireError. */
export type Look = (body: PyDict) => PyDict

/** Runs validators on bodies that are dicts, in the order given. */
export const looks = (...all: readonly Look[]): readonly ((body: PyValue) => PyValue)[] =>
  all.map((look) => (body) => (isDict(body) ? look(body) : body))

/** A body with other values for some keys. */
export const changed = (body: PyDict, changes: Readonly<Record<string, PyValue>>): PyDict =>
  new Map([...body, ...Object.entries(changes)])

export const checkStreamOptions: Look = (body) => {
  if (truthy(body.get('stream_options')) && !truthy(body.get('stream')))
    throw badRequest('Stream options can only be defined when `stream=True`.', 'stream_options')
  return body
}

export const checkGenerationPrompt: Look = (body) => {
  if (truthy(body.get('continue_final_message')) && truthy(body.get('add_generation_prompt')))
    throw badRequest('Cannot set both `continue_final_message` and `add_generation_prompt` to True.')
  return body
}

// follows check_cache_salt_support of vllm/entrypoints/generate/base/protocol.py
export const checkCacheSalt: Look = (body) => {
  const salt = body.get('cache_salt') ?? null
  if (salt === null) return body
  if (typeof salt !== 'string' || salt === '')
    throw badRequest("Parameter 'cache_salt' must be a non-empty string if provided.", 'cache_salt')
  if (characters(salt) > LONGEST_SALT || FORBIDDEN_IN_SALT.test(salt))
    throw badRequest(
      "Parameter 'cache_salt' must be at most 128 characters and must not contain '@', '/', '\\\\', or NUL.",
      'cache_salt',
    )
  return body
}

const LONGEST_SALT = 128
const FORBIDDEN_IN_SALT = /[@/\\\0]/

export const mapReturnMmKwargs: Look = (body) =>
  body.get('return_mm_kwargs') === false && !body.has('mm_payload') ? changed(body, { mm_payload: 'none' }) : body

export const checkResponseFormat: Look = (body) => {
  const format = body.get('response_format') ?? null
  if (!isDict(format)) return body
  const type = format.get('type')
  if (type === 'json_schema' && (format.get('json_schema') ?? null) === null)
    throw badRequest(
      "When response_format type is 'json_schema', the 'json_schema' field must be provided.",
      'response_format',
    )
  if (type === 'structural_tag') checkStructuralTagFormat(format)
  return body
}

/** Of `json`, `regex` and `choice`, only one may be given. Returns how many are. */
export function countConstraints(body: PyDict, parameter?: string): number {
  const constraints = body.get('structured_outputs') ?? null
  if (constraints === null) return 0
  if (!isDict(constraints)) throw attributeError(constraints, 'get')
  const count = ['json', 'regex', 'choice'].filter((key) => (constraints.get(key) ?? null) !== null).length
  if (count > 1)
    throw badRequest(
      "You can only use one kind of constraints for structured outputs ('json', 'regex' or 'choice').",
      parameter,
    )
  return count
}

export function checkConstraintTag(body: PyDict): void {
  const constraints = body.get('structured_outputs')
  const tag = isDict(constraints) ? (constraints.get('structural_tag') ?? null) : null
  if (tag !== null) checkStructuralTag(tag, 'structured_outputs')
}

/** Logprobs that are no numbers would fail in comparisons: they are told apart first. */
export function checkNumbers(body: PyDict, ...names: readonly string[]): void {
  for (const name of names) {
    const value = body.get(name) ?? null
    if (value !== null && numeric(value) === undefined)
      throw badRequest(`\`${name}\` must be an integer.`, name, pyStr(value))
  }
}

export function checkPromptLogprobs(body: PyDict): void {
  const wanted = numeric(body.get('prompt_logprobs'))
  if (wanted === undefined) return
  if (truthy(body.get('stream')) && (wanted > 0 || isMinusOne(wanted)))
    throw badRequest('`prompt_logprobs` are not available when `stream=True`.', 'prompt_logprobs')
  checkPositive(body, 'prompt_logprobs')
}

/** Refuses what is below 0 and not -1. */
export function checkPositive(body: PyDict, name: string): void {
  const value = body.get(name) ?? null
  const wanted = numeric(value)
  if (wanted !== undefined && wanted < 0 && !isMinusOne(wanted))
    throw badRequest(`\`${name}\` must be a positive value or -1.`, name, pyStr(value))
}

export const isMinusOne = (value: number | bigint): boolean => Number(value) === -1

export function checkLogprobTokenIds(body: PyDict): void {
  if (truthy(body.get('logprob_token_ids')) && truthy(body.get('use_beam_search')))
    throw badRequest('`logprob_token_ids` is not supported with beam search.', 'logprob_token_ids')
}

/** Tool calls become lists, and `reasoning_content` is `reasoning` where that is not given. */
// follows _normalize_messages_before of vllm/entrypoints/openai/chat_completion/protocol.py
export const normalizeMessages: Look = (body) => {
  const messages = body.get('messages')
  return isList(messages) ? changed(body, { messages: messages.map(normalizeMessage) }) : body
}

function normalizeMessage(message: PyValue): PyValue {
  if (!isDict(message)) return message
  const normal = new Map(message)
  const calls = normal.get('tool_calls') ?? null
  if (calls !== null && !isList(calls)) normal.set('tool_calls', iterate(calls))
  const reasoning = normal.get('reasoning_content') ?? null
  normal.delete('reasoning_content')
  if (reasoning !== null && (normal.get('reasoning') ?? null) === null) normal.set('reasoning', reasoning)
  return normal
}

/** Goes over the messages, to warn of system messages that are more than text. It changes nothing, but trips over what is no list. */
export const lookAtSystemMessages: Look = (body) => {
  for (const message of iterate(body.get('messages') ?? (body.has('messages') ? null : []))) {
    if (!isDict(message) || message.get('role') !== 'system') continue
    const content = message.get('content')
    if (!isList(content)) continue
    for (const part of content) if (isDict(part)) warnOf(part.get('type') ?? null)
  }
  return body
}

/** A warning is given once per type, for which the type must be hashable. */
function warnOf(type: PyValue): void {
  if (truthy(type) && (isDict(type) || isList(type))) throw typeError(`unhashable type: '${typeName(type)}'`)
}
