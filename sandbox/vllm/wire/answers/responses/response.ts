import type { GenerationTimes, SamplingParams, TokenLogprobs } from '../../generation.ts'
import type { Json } from '../../python/dumps.ts'
import { parsePythonJson } from '../../python/json-scanner.ts'
import { floatRepr } from '../../python/text.ts'
import { type PyDict, PyFloat, type PyValue } from '../../python/value.ts'
import { entriesOf, finite, tokenText } from '../likely.ts'
import { requestMetrics } from '../usage.ts'
import { choiceOf, reasoningOf, textOf, toolsOf } from './repeated.ts'
import { wantsLogprobs } from './to-chat.ts'

/** What a response says that does not change while it is made. */
export interface ResponseAbout {
  readonly id: string
  readonly created: number
  readonly model: string
  readonly request: PyDict
  readonly params: SamplingParams
  readonly promptTokenIds: readonly number[]
  readonly promptText: string
  /** `--enable-per-request-metrics` */
  readonly metrics: boolean
}

/** How a response ended. */
export interface ResponseEnd {
  readonly cached: number
  readonly created: number
  readonly tokens: number
  readonly cut: boolean
  readonly times: GenerationTimes
  /** Where the request wants to see what the model got and gave. */
  readonly messages?: { readonly input: Json; readonly output: Json } | undefined
}

/** The object of a response. Without an end it is in progress. */
// follows ResponsesResponse.from_request in vllm/entrypoints/openai/responses/protocol.py
export function responseObject(about: ResponseAbout, output: readonly Json[], end: ResponseEnd | undefined): Json {
  const { id, created, model, request, params } = about
  const given = (name: string, otherwise: PyValue = null): Json => (request.get(name) ?? otherwise) as Json
  const status = end === undefined ? 'in_progress' : end.cut ? 'incomplete' : 'completed'
  return {
    id,
    created_at: created,
    incomplete_details: end?.cut ? { reason: 'max_output_tokens' } : null,
    instructions: given('instructions'),
    metadata: given('metadata'),
    model,
    object: 'response',
    output,
    parallel_tool_calls: given('parallel_tool_calls', true),
    temperature: new PyFloat(params.temperature),
    tool_choice: choiceOf(request),
    tools: toolsOf(request),
    top_p: new PyFloat(params.topP),
    background: given('background', false),
    max_output_tokens: params.maxTokens,
    max_tool_calls: given('max_tool_calls'),
    previous_response_id: given('previous_response_id'),
    prompt: null,
    reasoning: reasoningOf(request),
    service_tier: given('service_tier', 'auto'),
    status,
    text: textOf(request),
    top_logprobs: wantsLogprobs(request) ? (params.logprobs ?? null) : null,
    truncation: given('truncation', 'disabled'),
    usage: end === undefined ? null : usageOf(about.promptTokenIds.length, end),
    user: given('user'),
    ...(about.metrics && end ? { metrics: metricsOf(end) } : {}),
    presence_penalty: given('presence_penalty', new PyFloat(0)),
    frequency_penalty: given('frequency_penalty', new PyFloat(0)),
    kv_transfer_params: null,
    ec_transfer_params: null,
    input_messages: end?.messages?.input ?? null,
    output_messages: end?.messages?.output ?? null,
  }
}

const metricsOf = ({ times, tokens }: ResponseEnd): Json =>
  parsePythonJson(requestMetrics(times, tokens, floatRepr, true)) as Json

const usageOf = (input: number, { cached, created, tokens }: ResponseEnd): Json => ({
  input_tokens: input,
  input_tokens_details: {
    cached_tokens: cached,
    cache_write_tokens: created,
    input_tokens_per_turn: [],
    cached_tokens_per_turn: [],
  },
  output_tokens: tokens,
  output_tokens_details: {
    reasoning_tokens: 0,
    tool_output_tokens: 0,
    output_tokens_per_turn: [],
    tool_output_tokens_per_turn: [],
  },
  total_tokens: input + tokens,
})

/** What the model got or gave, in its own form. */
export const rawMessage = (message: string, tokens: readonly number[]): Json => [
  { message, tokens, type: 'raw_message_tokens' },
]

/** A call as an item of the output. */
export const callItem = (
  { id, callId, name }: { readonly id: string; readonly callId: string; readonly name: string },
  given: string,
  status: 'in_progress' | 'completed',
): Json => ({
  arguments: given,
  call_id: callId,
  name,
  type: 'function_call',
  id,
  async: null,
  caller: null,
  namespace: null,
  status,
})

/** A text as an item of the output. */
export const messageItem = (id: string, text: string, logprobs: Json): Json => ({
  id,
  content: [textPart(text, logprobs)],
  role: 'assistant',
  status: 'completed',
  type: 'message',
  phase: null,
})

export const textPart = (text: string, logprobs: Json): Json => ({
  annotations: [],
  text,
  type: 'output_text',
  logprobs,
})

/** Of a whole text with the bytes of its tokens; of a delta without. */
// follows vllm/entrypoints/openai/responses/serving.py _create_response_logprobs
export function responseLogprobs(
  steps: readonly TokenLogprobs[],
  { top, asTokenIds, bytes }: { readonly top: number; readonly asTokenIds: boolean; readonly bytes: boolean },
): Json {
  const entry = (likely: TokenLogprobs['sampled']) => {
    const token = tokenText(likely, asTokenIds)
    return {
      token,
      ...(bytes ? { bytes: [...utf8.encode(token)] } : {}),
      logprob: new PyFloat(finite(likely.logprob)),
    }
  }
  return steps.map((step) => ({
    ...entry(step.sampled),
    top_logprobs: entriesOf(step).slice(0, top).map(entry),
  }))
}

const utf8 = new TextEncoder()
