import {
  acceptPromptIds,
  beforeCompletion,
  encodePrompt,
  engineChecks,
  promptLimits,
  samplingParams,
} from '../../checks/index.ts'
import type { GenerationObserver, GenerationRequest } from '../../generation.ts'
import type { Reply, StreamedAnswer, WireRequest } from '../../http.ts'
import type { CompletionRequest, Prompt } from '../../protocol/completion.ts'
import { refusal } from '../../router/answers.ts'
import type { LoraAdapter, Serving } from '../../serving.ts'
import { answeringOf, choicesOf, dataParallelRankOf, priorityOf } from '../asked.ts'
import { refusalOf } from '../begin.ts'
import { EVENT_STREAM } from '../events.ts'
import { baseRequestId } from '../ids.ts'
import { keptAlive } from '../keep-alive.ts'
import { loadReport } from '../load-report.ts'
import { paced } from '../paced.ts'
import type { AnsweredPrompt, CompletionAnswering } from './answering.ts'
import { CompletionStream } from './stream.ts'
import { WholeCompletion } from './whole.ts'

/** Answers a completion of one prompt or several. Throws a WireError as long as nothing has gone out. Returns what to do when the client leaves. */
// follows vllm/entrypoints/openai/completion/serving.py _create_completion
export function answerCompletion(
  body: CompletionRequest,
  request: WireRequest,
  reply: Reply,
  serving: Serving,
): () => void {
  const lora = beforeCompletion(body, serving)
  const limits = promptLimits(body, serving.model)
  const { tokenizer } = serving.model
  const prompts = body.prompts.map((prompt) =>
    answeredPrompt(
      prompt,
      typeof prompt === 'string' ? encodePrompt(prompt, limits, tokenizer) : acceptPromptIds(prompt, limits),
      serving,
    ),
  )
  const id = `cmpl-${baseRequestId(request.headers, body.requestId, serving.random)}`
  const generations = prompts.map(({ tokenIds }, index) =>
    generationOf(body, serving, { id: `${id}-${index}`, tokenIds, lora, headers: request.headers }),
  )
  const answering = completionAnswering(body, serving, { id, lora, prompts })
  const check = () => {
    for (const generation of generations) engineChecks({ request: body, ...generation }, serving)
  }
  if (body.stream) return stream(answering, generations, check, reply, serving)
  check()
  const whole = new WholeCompletion(
    answering,
    (json) =>
      reply.whole({ status: 200, contentType: 'application/json', headers: loadReport(request, serving), body: json }),
    (error) => reply.whole(refusal(error)),
  )
  return generateAll(generations, whole, serving)
}

function stream(
  answering: CompletionAnswering,
  generations: readonly GenerationRequest[],
  check: () => void,
  reply: Reply,
  serving: Serving,
): () => void {
  const stream = reply.stream(EVENT_STREAM)
  const out = keptAlive(stream, serving.clock, serving.flags.sseKeepAliveSeconds)
  const chunks = new CompletionStream(answering, out)
  const refused = refusalOf(check)
  if (refused) {
    chunks.fail(refused)
    return () => undefined
  }
  const leave = generateAll(generations, chunks, serving, stream)
  return () => {
    out.left()
    leave()
  }
}

/** Begins one generation for each prompt. When one of them fails, the others are given up. */
function generateAll(
  generations: readonly GenerationRequest[],
  answer: Pick<WholeCompletion, 'observer' | 'closed'>,
  { engine }: Serving,
  stream: Pick<StreamedAnswer, 'congested'> = {},
): () => void {
  const leaves: (() => void)[] = []
  const leaveAll = () => {
    for (const leave of leaves.splice(0)) leave()
  }
  for (const [index, generation] of generations.entries()) {
    const observer = answer.observer(index)
    const { failed } = observer
    const failingAll: GenerationObserver = {
      ...observer,
      failed: (error, at) => {
        failed(error, at)
        leaveAll()
      },
    }
    leaves.push(engine.generate(generation, paced(failingAll, stream)))
    if (answer.closed) leaveAll()
  }
  return leaveAll
}

function generationOf(
  body: CompletionRequest,
  serving: Serving,
  {
    id,
    tokenIds,
    lora,
    headers,
  }: {
    readonly id: string
    readonly tokenIds: readonly number[]
    readonly lora: LoraAdapter | undefined
    readonly headers: ReadonlyMap<string, string>
  },
): GenerationRequest {
  const rank = dataParallelRankOf(headers)
  return {
    id,
    promptTokenIds: tokenIds,
    params: samplingParams(body, tokenIds.length, serving),
    priority: priorityOf(headers, body.priority),
    ...(lora ? { lora: lora.name } : {}),
    ...(rank === undefined ? {} : { dataParallelRank: rank }),
    ...(body.cacheSalt === undefined ? {} : { cacheSalt: body.cacheSalt }),
  }
}

function completionAnswering(
  body: CompletionRequest,
  serving: Serving,
  about: { readonly id: string; readonly lora: LoraAdapter | undefined; readonly prompts: readonly AnsweredPrompt[] },
): CompletionAnswering {
  const { prompts } = about
  return {
    ...answeringOf(body, serving, { ...about, sequences: choicesOf(body) * prompts.length }),
    logprobs:
      body.logprobs === undefined
        ? undefined
        : {
            top: Number(body.logprobs),
            all: (body.logprobTokenIds?.length ?? 0) > 0,
            asTokenIds: body.returnTokensAsTokenIds ?? serving.flags.returnTokensAsTokenIds,
          },
    prompts,
    echo: body.echo,
    promptOnly: Number(body.maxTokens) === 0,
    textOf: (id) => serving.model.tokenizer.decode([id], { skipSpecialTokens: false }),
  }
}

const answeredPrompt = (prompt: Prompt, tokenIds: readonly number[], { model }: Serving): AnsweredPrompt => ({
  tokenIds,
  text: () => (typeof prompt === 'string' ? prompt : model.tokenizer.decode(tokenIds, { skipSpecialTokens: false })),
})
