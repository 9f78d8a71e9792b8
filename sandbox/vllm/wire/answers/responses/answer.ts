import { checkEngine, checkModel } from '../../checks/model.ts'
import { badRequest, WireError } from '../../errors.ts'
import type { GenerationObserver } from '../../generation.ts'
import type { Reply, WireRequest } from '../../http.ts'
import { chatRequest } from '../../protocol/chat.ts'
import { dumpsCompact } from '../../python/dumps.ts'
import { isInt, type PyDict, truthy } from '../../python/value.ts'
import { refusal } from '../../router/answers.ts'
import type { Serving } from '../../serving.ts'
import { modelName, priorityOf } from '../asked.ts'
import { chatAnswering, chatGeneration, checkAtEngine, renderedChat } from '../chat/prepare.ts'
import { Collector } from '../collected.ts'
import { EVENT_STREAM } from '../events.ts'
import { randomUuid } from '../ids.ts'
import { type NewId, outputItems } from './items.ts'
import { type ResponseAbout, rawMessage, responseLogprobs, responseObject } from './response.ts'
import { ResponseStream, type ResponseStreamOptions } from './stream.ts'
import { chatBodyOf, wantsLogprobs } from './to-chat.ts'

/** `POST /v1/responses`: text and calls of functions; nothing is stored. `body` is validated. */
// follows vllm/entrypoints/openai/responses/serving.py _create_responses
export function answerResponses(body: PyDict, request: WireRequest, reply: Reply, serving: Serving): () => void {
  const name = body.get('model')
  const lora = checkModel(typeof name === 'string' ? name : undefined, serving)
  if (truthy(body.get('background'))) throw noBackground()
  checkEngine(serving)
  const previous = body.get('previous_response_id')
  if (typeof previous === 'string') throw unknownResponse(previous)
  checkOutputTokens(body, serving)
  const chat = chatRequest.parse(chatBodyOf(body))
  const prepared = { lora, ...renderedChat(chat, serving) }
  const given = body.get('request_id')
  const id = typeof given === 'string' ? given : `resp_${randomUuid(serving.random)}`
  const generation = {
    ...chatGeneration(prepared, serving, { id: `${id}_0`, headers: new Map() }),
    priority: priorityOf(request.headers, chat.priority),
  }
  const about: ResponseAbout = {
    id,
    created: serving.unixSeconds(),
    model: modelName(lora, serving),
    request: body,
    params: prepared.params,
    promptTokenIds: prepared.promptTokenIds,
    promptText: prepared.text,
    metrics: serving.flags.enablePerRequestMetrics,
  }
  const { tools } = chatAnswering(prepared, id, serving)
  const newId: NewId = (prefix) => `${prefix}_${randomUuid(serving.random)}`
  const logprobs = wantsLogprobs(body)
    ? { top: Number(chat.topLogprobs), asTokenIds: serving.flags.returnTokensAsTokenIds }
    : undefined
  if (!truthy(body.get('stream'))) {
    checkAtEngine(prepared, generation, serving)
    return serving.engine.generate(generation, wholeResponse({ about, logprobs, tools, newId }, reply))
  }
  const stream = new ResponseStream({ about, logprobs, tools, newId, out: reply.stream(EVENT_STREAM) })
  try {
    checkAtEngine(prepared, generation, serving)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    stream.failed(error)
    return () => undefined
  }
  return serving.engine.generate(generation, stream)
}

/** A response of which nobody knows: none is ever stored. */
// follows vllm/entrypoints/openai/responses/serving.py _make_not_found_error
export const unknownResponse = (id: string): WireError =>
  new WireError(404, 'invalid_request_error', `Response with id '${id}' not found.`, 'response_id')

function checkOutputTokens(body: PyDict, { model }: Serving): void {
  const tokens = body.get('max_output_tokens')
  if (!isInt(tokens) || tokens <= model.maxModelLen) return
  throw badRequest(
    `max_output_tokens=${tokens} cannot be greater than max_model_len=${model.maxModelLen}. Please request fewer output tokens.`,
    'max_output_tokens',
    String(tokens),
  )
}

/** Responses that run on without a client have to be stored. */
const noBackground = (): WireError =>
  new WireError(
    400,
    'invalid_request_error',
    'This vLLM engine does not support `store=True` and therefore does not support the background mode. To enable these features, set the environment variable `VLLM_ENABLE_RESPONSES_API_STORE=1` when launching the vLLM server.',
    'background',
  )

function wholeResponse(
  { about, logprobs, tools, newId }: Omit<ResponseStreamOptions, 'out'>,
  reply: Reply,
): GenerationObserver {
  const collector = new Collector(1)
  let cached = 0
  let created = 0
  return {
    began: ({ cachedTokens, createdCacheTokens }) => {
      cached = cachedTokens
      created = createdCacheTokens
    },
    output: (output) => collector.add(output),
    ended: (times) => {
      const { text, tokenIds, logprobs: steps, finish } = collector.sequences[0]!
      const told = logprobs ? responseLogprobs(steps, { ...logprobs, bytes: true }) : null
      const messages =
        about.request.get('enable_response_messages') === true
          ? { input: rawMessage(about.promptText, about.promptTokenIds), output: rawMessage(text, tokenIds) }
          : undefined
      const cut = finish?.reason === 'length'
      const response = responseObject(about, outputItems(text, told, tools, newId), {
        cached,
        created,
        tokens: collector.tokens,
        cut,
        times,
        messages,
      })
      reply.whole({ status: 200, contentType: 'application/json', body: dumpsCompact(response) })
    },
    failed: (error) => reply.whole(refusal(error)),
  }
}
