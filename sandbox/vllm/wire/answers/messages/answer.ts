import { sanitizeMessage, WireError } from '../../errors.ts'
import type { Reply, WholeAnswer, WireRequest } from '../../http.ts'
import { type ChatRequest, chatRequest } from '../../protocol/chat.ts'
import type { PyDict } from '../../python/value.ts'
import { json } from '../../router/answers.ts'
import type { Serving } from '../../serving.ts'
import { begin } from '../begin.ts'
import { chatAnswering, chatGeneration, checkAtEngine, prepareChat } from '../chat/prepare.ts'
import { ChatStream } from '../chat/stream.ts'
import { WholeChat } from '../chat/whole.ts'
import { EVENT_STREAM } from '../events.ts'
import { baseRequestId } from '../ids.ts'
import { MessageStream } from './stream.ts'
import { chatBodyOf } from './to-chat.ts'
import { choiceWithoutTools } from './tools.ts'
import { wholeMessage } from './whole.ts'

/** `POST /v1/messages`: a chat, asked and answered in Anthropic's words. `body` is validated. */
// follows vllm/entrypoints/anthropic/serving.py create_messages
export function answerMessages(body: PyDict, request: WireRequest, reply: Reply, serving: Serving): () => void {
  return refusing(reply, () => {
    const chat = chatOf(body, serving)
    const prepared = prepareChat(chat, serving)
    const id = `chatcmpl-${baseRequestId(request.headers, undefined, serving.random)}`
    const generation = chatGeneration(prepared, serving, { id, headers: request.headers })
    const answering = chatAnswering(prepared, id, serving)
    const check = () => checkAtEngine(prepared, generation, serving)
    if (chat.stream) {
      const out = new MessageStream(reply.stream(EVENT_STREAM))
      return begin(serving, generation, new ChatStream(answering, out), check)
    }
    check()
    const whole = new WholeChat(
      answering,
      (result) => reply.whole({ status: 200, contentType: 'application/json', body: wholeMessage(answering, result) }),
      (error) => reply.whole(anthropicRefusal(error)),
    )
    return serving.engine.generate(generation, whole)
  })
}

/** `POST /v1/messages/count_tokens` */
// follows vllm/entrypoints/anthropic/serving.py count_tokens
export function countTokens(body: PyDict, reply: Reply, serving: Serving): void {
  refusing(reply, () => {
    const { promptTokenIds } = prepareChat(chatOf(body, serving), serving)
    const counted = promptTokenIds.length
    reply.whole(json({ input_tokens: counted, context_management: { original_input_tokens: counted } }))
    return () => undefined
  })
}

function chatOf(body: PyDict, serving: Serving): ChatRequest {
  const chat = chatRequest.parse(chatBodyOf(body, serving))
  return chat.tools ? chat : { ...chat, toolChoice: choiceWithoutTools(body) }
}

function refusing(reply: Reply, answer: () => () => void): () => void {
  try {
    return answer()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    reply.whole(anthropicRefusal(error))
    return () => undefined
  }
}

// follows vllm/entrypoints/anthropic/api_router.py translate_error_response
function anthropicRefusal(error: WireError): WholeAnswer {
  const { type, message, status } = error
  return json({ type: 'error', error: { type, message: sanitizeMessage(message) } }, status)
}
