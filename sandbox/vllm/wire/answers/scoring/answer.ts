import { checkEngine, checkModel } from '../../checks/model.ts'
import { badRequest, WireError } from '../../errors.ts'
import { type GenerationRequest, plainSampling, type TokenLogprobs } from '../../generation.ts'
import type { Reply, WireRequest } from '../../http.ts'
import type { Prompt } from '../../protocol/completion.ts'
import type { GenerativeScoringRequest } from '../../protocol/generative-scoring.ts'
import { floatRepr } from '../../python/text.ts'
import { refusal } from '../../router/answers.ts'
import type { Serving } from '../../serving.ts'
import { modelName } from '../asked.ts'
import { baseRequestId } from '../ids.ts'
import { wholeUsage } from '../usage.ts'

/** How likely chosen tokens are to come next, after the query and each of the items. */
// follows vllm/entrypoints/generate/generative_scoring/serving.py
export function answerScoring(
  body: GenerativeScoringRequest,
  request: WireRequest,
  reply: Reply,
  serving: Serving,
): () => void {
  const lora = checkModel(body.model, serving)
  checkEngine(serving)
  checkLabels(body, serving)
  const id = `generative-scoring-${baseRequestId(request.headers, body.requestId, serving.random)}`
  const prompts = promptsOf(body, serving)
  checkReads(body, prompts, serving)
  const scores: number[] = []
  const counts = { prompt: prompts.reduce((sum, ids) => sum + ids.length, 0), completion: 0 }
  const created = serving.unixSeconds()
  let open = prompts.length
  const done = () => {
    const data = scores.map((score, index) => `{"index":${index},"object":"score","score":${floatRepr(score)}}`)
    reply.whole({
      status: 200,
      contentType: 'application/json',
      body:
        `{"id":${JSON.stringify(id)},"object":"list","created":${created},"model":${JSON.stringify(modelName(lora, serving))},` +
        `"data":[${data.join(',')}],"usage":${wholeUsage(counts, undefined)}}`,
    })
  }
  const leaves = prompts.map((promptTokenIds, i) =>
    serving.engine.generate(generationOf(`${id}-${i}`, promptTokenIds, body, lora?.name), {
      output: ({ logprobs, tokenIds }) => {
        counts.completion += tokenIds.length
        if (logprobs?.[0]) scores[i] = scoreOf(logprobs[0], body)
      },
      ended: () => {
        if (--open === 0) done()
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

function checkLabels({ labelTokenIds, items }: GenerativeScoringRequest, { model }: Serving): void {
  const { vocabSize } = model.tokenizer
  const foreign = labelTokenIds.find((id) => id < 0 || id >= vocabSize)
  if (foreign !== undefined)
    throw new WireError(
      400,
      'BadRequestError',
      `label_token_id ${foreign} is out of vocabulary range [0, ${vocabSize}). Please provide valid token IDs.`,
    )
  if (labelTokenIds.length === 0)
    throw new WireError(400, 'BadRequestError', 'label_token_ids must contain at least one token ID.')
  if (items.length === 0) throw new WireError(400, 'BadRequestError', 'items must contain at least one item.')
}

/** What the engine would refuse. */
// follows vllm/sampling_params.py _validate_logprobs and vllm/v1/engine/input_processor.py
function checkReads(
  { labelTokenIds }: GenerativeScoringRequest,
  prompts: readonly (readonly number[])[],
  { flags, model }: Serving,
): void {
  const { length } = labelTokenIds
  if (flags.maxLogprobs !== -1 && length > flags.maxLogprobs)
    throw badRequest(
      `Requested sample logprobs of ${length}, which is greater than max allowed: ${flags.maxLogprobs}`,
      'logprobs',
      String(length),
    )
  if (prompts.some((ids) => ids.length === 0)) throw badRequest('The decoder prompt cannot be empty')
  const largest = Math.max(...prompts.flat())
  if (largest > Math.max(model.tokenizer.maxTokenId, model.tokenizer.vocabSize - 1))
    throw badRequest(`Token id ${largest} is out of vocabulary`)
}

function promptsOf(body: GenerativeScoringRequest, { model }: Serving): readonly (readonly number[])[] {
  const idsOf = (prompt: Prompt, addSpecialTokens: boolean) =>
    typeof prompt === 'string' ? model.tokenizer.encode(prompt, { addSpecialTokens }) : prompt.map(Number)
  const query = idsOf(body.query, body.addSpecialTokens)
  return body.items.map((item) => {
    const ids = idsOf(item, false)
    const joined = body.itemFirst ? [...ids, ...query] : [...query, ...ids]
    return joined.slice(0, model.maxModelLen - 1)
  })
}

const generationOf = (
  id: string,
  promptTokenIds: readonly number[],
  body: GenerativeScoringRequest,
  lora: string | undefined,
): GenerationRequest => ({
  id,
  promptTokenIds,
  params: { ...plainSampling, logprobs: body.labelTokenIds.length, logprobTokenIds: body.labelTokenIds.map(Number) },
  priority: Number(body.priority),
  ...(lora === undefined ? {} : { lora }),
  ...(body.cacheSalt === undefined ? {} : { cacheSalt: body.cacheSalt }),
})

/** Of the first label: among the labels alone, or among all tokens. */
function scoreOf(step: TokenLogprobs, { labelTokenIds, applySoftmax }: GenerativeScoringRequest): number {
  const likely = [step.sampled, ...step.top]
  const logprobs = labelTokenIds.map((id) => likely.find((token) => token.id === Number(id))?.logprob ?? -Infinity)
  if (!applySoftmax) return Math.exp(logprobs[0]!)
  const highest = Math.max(...logprobs)
  const weights = logprobs.map((logprob) => Math.exp(logprob - highest))
  return weights[0]! / weights.reduce((sum, weight) => sum + weight, 0)
}
