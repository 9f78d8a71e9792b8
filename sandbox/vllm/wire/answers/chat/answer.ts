import type { Reply, WireRequest } from '../../http.ts'
import type { ChatRequest } from '../../protocol/chat.ts'
import { refusal } from '../../router/answers.ts'
import type { Serving } from '../../serving.ts'
import { begin } from '../begin.ts'
import { EVENT_STREAM } from '../events.ts'
import { Gathered } from '../gathered.ts'
import { baseRequestId } from '../ids.ts'
import { keptAlive } from '../keep-alive.ts'
import { loadReport } from '../load-report.ts'
import { paced } from '../paced.ts'
import { chatAnswering, chatGeneration, checkAtEngine, prepareChat } from './prepare.ts'
import { ChatStream } from './stream.ts'
import { WholeChat } from './whole.ts'

/** Answers a chat. Throws a WireError as long as nothing has gone out. Returns what to do when the client leaves. */
// follows vllm/entrypoints/openai/chat_completion/api_router.py
export function answerChat(body: ChatRequest, request: WireRequest, reply: Reply, serving: Serving): () => void {
  const prepared = prepareChat(body, serving)
  const id = `chatcmpl-${baseRequestId(request.headers, body.requestId, serving.random)}`
  const generation = chatGeneration(prepared, serving, { id, headers: request.headers })
  const answering = chatAnswering(prepared, id, serving)
  const check = () => checkAtEngine(prepared, generation, serving)
  if (body.stream) {
    const stream = reply.stream(EVENT_STREAM)
    const out = keptAlive(stream, serving.clock, serving.flags.sseKeepAliveSeconds)
    const chunks = new ChatStream(answering, out)
    const observer = body.useBeamSearch ? new Gathered(chunks, answering.choices) : paced(chunks, stream)
    const leave = begin(serving, generation, observer, check)
    return () => {
      out.left()
      leave()
    }
  }
  check()
  const whole = new WholeChat(
    answering,
    (result) =>
      reply.whole({
        status: 200,
        contentType: 'application/json',
        headers: loadReport(request, serving),
        body: result.json(),
      }),
    (error) => reply.whole(refusal(error)),
  )
  return serving.engine.generate(generation, whole)
}
