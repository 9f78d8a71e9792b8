import { badRequest, type WireError } from '../errors.ts'
import { floatRepr, pyRepr } from '../python/text.ts'
import { isDict, isInt, isList, type PyDict, type PyInt, type PyValue } from '../python/value.ts'

/** Parameters of sampling with defaults, as vLLM checks them. */
export interface Sampling {
  readonly n: PyInt
  readonly xargs: PyDict | undefined
  readonly presencePenalty: number
  readonly frequencyPenalty: number
  readonly repetitionPenalty: number
  readonly temperature: number
  readonly topP: number
  readonly topK: PyInt
  readonly minP: number
  readonly maxTokens: PyInt
  readonly minTokens: PyInt
  readonly logprobs: PyInt | undefined
  readonly promptLogprobs: PyInt | undefined
  readonly stop: readonly string[]
  readonly badWords: readonly string[]
}

/** Refuses the first parameter that is out of its range. */
// follows _verify_args of vllm/sampling_params.py
export function checkSampling(sampling: Sampling): void {
  checkCount(sampling.n)
  checkXargs(sampling.xargs)
  checkPenalties(sampling)
  checkDistribution(sampling)
  checkLengths(sampling)
  checkLogprobs('logprobs', sampling.logprobs)
  checkLogprobs('prompt_logprobs', sampling.promptLogprobs)
  if (sampling.stop.includes('')) throw badRequest('stop cannot contain an empty string.')
  if (sampling.badWords.includes(''))
    throw badRequest(`bad_words cannot contain an empty string. Got bad_words=${pyRepr(sampling.badWords)}`)
  if (sampling.temperature < GREEDY && sampling.n > 1)
    throw badRequest(`n must be 1 when using greedy sampling, got ${sampling.n}.`)
}

const GREEDY = 1e-5
const MOST_SEQUENCES = 16384

function checkCount(n: PyInt): void {
  if (n < 1) throw badRequest(`n must be at least 1, got ${n}.`)
  if (n > MOST_SEQUENCES)
    throw badRequest(
      `n must be at most ${MOST_SEQUENCES}, got ${n}. To increase this limit, set the VLLM_MAX_N_SEQUENCES environment variable.`,
    )
}

/** Ints go to the engine in 64 bits. */
function checkXargs(xargs: PyDict | undefined): void {
  const tooBig = (value: PyValue): boolean => {
    if (isInt(value)) return value < -(2n ** 63n) || value >= 2n ** 64n
    if (isDict(value)) return [...value.values()].some(tooBig)
    return isList(value) && value.some(tooBig)
  }
  if (xargs !== undefined && tooBig(xargs))
    throw badRequest('extra_args integers must be between -2**63 and 2**64 - 1.', 'extra_args')
}

function checkPenalties({ presencePenalty, frequencyPenalty, repetitionPenalty }: Sampling): void {
  if (!within(presencePenalty, -2, 2))
    throw badRequest(`presence_penalty must be in [-2, 2], got ${floatRepr(presencePenalty)}.`)
  if (!within(frequencyPenalty, -2, 2))
    throw badRequest(`frequency_penalty must be in [-2, 2], got ${floatRepr(frequencyPenalty)}.`)
  const shown = floatRepr(repetitionPenalty)
  if (!Number.isFinite(repetitionPenalty)) throw badRequest(`repetition_penalty must be a finite number, got ${shown}.`)
  if (repetitionPenalty <= 0) throw badRequest(`repetition_penalty must be greater than zero, got ${shown}.`)
}

function checkDistribution({ temperature, topP, topK, minP }: Sampling): void {
  const shown = floatRepr(temperature)
  const hot = (rule: string): WireError =>
    badRequest(`temperature must be ${rule}, got ${shown}.`, 'temperature', shown)
  if (!Number.isFinite(temperature)) throw hot('a finite number')
  if (temperature < 0) throw hot('non-negative')
  if (temperature > 2) throw hot('in [0, 2]')
  if (!(topP > 0 && topP <= 1))
    throw badRequest(`top_p must be in (0, 1], got ${floatRepr(topP)}.`, 'top_p', floatRepr(topP))
  if (topK < -1) throw badRequest(`top_k must be 0 (disable), or at least 1, got ${topK}.`)
  if (!within(minP, 0, 1)) throw badRequest(`min_p must be in [0, 1], got ${floatRepr(minP)}.`)
}

function checkLengths({ maxTokens, minTokens }: Sampling): void {
  if (maxTokens < 1)
    throw badRequest(`max_tokens must be at least 1, got ${maxTokens}.`, 'max_tokens', String(maxTokens))
  if (minTokens < 0) throw badRequest(`min_tokens must be greater than or equal to 0, got ${minTokens}.`)
  if (minTokens > maxTokens)
    throw badRequest(`min_tokens must be less than or equal to max_tokens=${maxTokens}, got ${minTokens}.`)
}

function checkLogprobs(name: string, value: PyInt | undefined): void {
  if (value !== undefined && value < 0 && Number(value) !== -1)
    throw badRequest(`${name} must be non-negative or -1, got ${value}.`, name, String(value))
}

const within = (value: number, least: number, most: number): boolean => value >= least && value <= most
