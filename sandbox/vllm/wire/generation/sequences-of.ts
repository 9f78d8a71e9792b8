import type { GenerationRequest, SamplingParams, TokenLogprobs } from '../generation.ts'
import type { WireTokenizer } from '../serving.ts'
import { decodeStream } from '../tokenizer/decode-stream.ts'
import { Detokenizer } from './detokenizer.ts'
import { mix, mixFloat, mixText } from './hash.ts'
import { Likelihoods } from './likelihoods.ts'
import { planOf, type TokenPlan } from './plan.ts'
import { type Prose, tokensOfText } from './prose.ts'
import { questionIn } from './questions.ts'
import { Sequence, type SequenceOwner } from './sequence.ts'
import { structuredText } from './structured/structured-text.ts'
import { tokenRules } from './token-rules.ts'

export interface SequencesInput {
  readonly request: GenerationRequest
  readonly tokenizer: WireTokenizer
  readonly prose: Prose
  readonly model: string
  readonly endless: boolean
  readonly wrongAnswers: boolean
  readonly owner: SequenceOwner
}

const GREEDY = 1e-5
/** Tokens at the end of a prompt in which a question is looked for. */
const QUESTION_TOKENS = 96
const UNSEEDED = 0x5eed

/** The `n` sequences of a request, planned. Throws a WireError for a constraint that is none. */
export function sequencesOf(input: SequencesInput): { readonly sequence: Sequence; readonly plan: TokenPlan }[] {
  const { request, tokenizer } = input
  const prompt = promptKey(input)
  const joins = goesOn(tokenizer, request.promptTokenIds)
  const said = request.params.structured ? undefined : (request.script ?? answerIn(input, joins))
  return Array.from({ length: request.params.n }, (_, index) => one(input, { index, prompt, said, joins }))
}

function one(
  input: SequencesInput,
  at: { readonly index: number; readonly prompt: number; readonly said: string | undefined; readonly joins: boolean },
): { readonly sequence: Sequence; readonly plan: TokenPlan } {
  const { request, tokenizer, prose, endless, owner } = input
  const { params, promptTokenIds } = request
  const { index, joins } = at
  const seed = seedOf(at.prompt, params, index)
  const detokenizer = () => new Detokenizer(decodeStream(tokenizer, promptTokenIds, params.skipSpecialTokens), params)
  const text = params.structured
    ? structuredText(params.structured, seed, (made) => tokensOfText(tokenizer, made).length < params.maxTokens)
    : at.said
  const script = text === undefined ? undefined : tokensOfText(tokenizer, text)
  const rules = script ? undefined : tokenRules(params, tokenizer, prose, seed)
  const plan = planOf({ params, tokenizer, prose, seed, script, joins, endless, rules, detokenizer })
  const logprobs = logprobsOf(params, { tokenizer, prose, seed })
  const includeStop = params.includeStopStrInOutput
  return { plan, sequence: new Sequence({ index, plan, detokenizer: detokenizer(), logprobs, includeStop, owner }) }
}

/** Of a prompt for a model. */
function promptKey({ request, tokenizer, model }: SequencesInput): number {
  let key = mixText(mixText(1, model), request.lora ?? '')
  for (const id of request.promptTokenIds) key = mix(key, tokenizer.keyOf ? tokenizer.keyOf(id) : id)
  return key
}

/** Child `index` of seed s is what a request with seed s + index gets. */
// follows vllm/v1/engine/parallel_sampling.py
function seedOf(prompt: number, params: SamplingParams, index: number): number {
  const { temperature, seed, topP, topK } = params
  if (temperature < GREEDY) return prompt
  const drawn = seed === undefined ? mix(UNSEEDED, index) : mixFloat(2, seed + index)
  return mixFloat(mixFloat(mix(mix(prompt, drawn), topK), topP), temperature)
}

function answerIn({ request, tokenizer, wrongAnswers }: SequencesInput, joins: boolean): string | undefined {
  const found = questionIn(
    tokenizer.decode(request.promptTokenIds.slice(-QUESTION_TOKENS), { skipSpecialTokens: true }),
  )
  return found && `${joins ? ' ' : ''}${wrongAnswers ? found.wrong : found.answer}`
}

/** Whether what follows a prompt is in the same line of text. */
function goesOn(tokenizer: WireTokenizer, promptIds: readonly number[]): boolean {
  const last = promptIds.at(-1)
  if (last === undefined || tokenizer.isSpecial(last)) return false
  return /\S$/.test(tokenizer.decode([last]))
}

function logprobsOf(
  params: SamplingParams,
  about: { readonly tokenizer: WireTokenizer; readonly prose: Prose; readonly seed: number },
): ((id: number, place: number) => TokenLogprobs) | undefined {
  const { logprobs, logprobTokenIds } = params
  if (logprobs === undefined && logprobTokenIds === undefined) return undefined
  const likelihoods = new Likelihoods(params, about)
  return (id, place) => likelihoods.of(id, place, logprobs ?? 0)
}
