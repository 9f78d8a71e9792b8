import { beforeChat } from '../../checks/index.ts'
import type { Reply, WireRequest } from '../../http.ts'
import type { BatchChatRequest } from '../../protocol/batch-chat.ts'
import { floatRepr } from '../../python/text.ts'
import { refusal } from '../../router/answers.ts'
import type { Serving } from '../../serving.ts'
import { dataParallelRankOf } from '../asked.ts'
import { type Collected, Collector } from '../collected.ts'
import { baseRequestId } from '../ids.ts'
import { wholeUsage } from '../usage.ts'
import type { ChatAnswering } from './answering.ts'
import { chatLogprobs } from './logprobs.ts'
import { chatAnswering, chatGeneration, checkAtEngine, renderedChat } from './prepare.ts'
import { choiceJson } from './whole.ts'

/** Conversations of one request, each a choice of one answer. */
// follows vllm/entrypoints/openai/chat_completion/batch_serving.py
export function answerBatchChat(
  { chats }: BatchChatRequest,
  request: WireRequest,
  reply: Reply,
  serving: Serving,
): () => void {
  const [first] = chats
  const lora = beforeChat(first!, serving)
  const id = `chatcmpl-${baseRequestId(request.headers, first!.requestId, serving.random)}`
  const prepared = chats.map((chat) => ({ lora, ...renderedChat(chat, serving) }))
  const rank = dataParallelRankOf(request.headers)
  const generations = prepared.map((chat, i) => ({
    ...chatGeneration(chat, serving, { id: `${id}_${i}`, headers: new Map() }),
    ...(rank === undefined ? {} : { dataParallelRank: rank }),
  }))
  for (const [i, chat] of prepared.entries()) checkAtEngine(chat, generations[i]!, serving)
  const answerings = prepared.map((chat) => chatAnswering(chat, id, serving))
  const collectors = generations.map(() => new Collector(1))
  let open = generations.length
  const leaves = generations.map((generation, i) =>
    serving.engine.generate(generation, {
      output: (output) => collectors[i]!.add(output),
      ended: () => {
        if (--open === 0)
          reply.whole({ status: 200, contentType: 'application/json', body: batchJson(answerings, collectors) })
      },
      failed: (error) => {
        reply.whole(refusal(error))
        leaveAll()
      },
    }),
  )
  const leaveAll = () => {
    for (const leave of leaves) leave()
  }
  return leaveAll
}

function batchJson(answerings: readonly ChatAnswering[], collectors: readonly Collector[]): string {
  const { id, created, model, fingerprint } = answerings[0]!
  const choices = answerings.map((answering, i) => choiceOf(i, answering, collectors[i]!.sequences[0]!))
  const prompt = answerings.reduce((sum, { promptTokenIds }) => sum + promptTokenIds.length, 0)
  const completion = collectors.reduce((sum, { tokens }) => sum + tokens, 0)
  return (
    `{"id":${JSON.stringify(id)},"object":"chat.completion","created":${created},"model":${JSON.stringify(model)},` +
    `"choices":[${choices.join(',')}],"service_tier":null,"system_fingerprint":${JSON.stringify(fingerprint)},` +
    `"usage":${wholeUsage({ prompt, completion }, undefined)},"prompt_logprobs":null,"prompt_token_ids":null,` +
    `"prompt_text":null,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}`
  )
}

/** Calls are never looked for. */
function choiceOf(index: number, answering: ChatAnswering, { text, tokenIds, logprobs, finish }: Collected): string {
  const wanted = answering.logprobs
  return choiceJson({
    index,
    message: { role: answering.role, content: (answering.echo ?? '') + text, calls: [] },
    logprobs: wanted ? chatLogprobs(logprobs, { ...wanted, float: floatRepr }) : 'null',
    finishReason: finish?.reason ?? 'stop',
    stopReason: finish?.stopReason ?? null,
    tokenIds: answering.tokenIds ? tokenIds : undefined,
  })
}
