import { badRequest } from '../errors.ts'
import type { ChatRequest } from '../protocol/chat.ts'
import type { CompletionRequest } from '../protocol/completion.ts'
import { characters } from '../python/json-scanner.ts'
import type { PyInt } from '../python/value.ts'
import type { ServedModel, WireTokenizer } from '../serving.ts'

/** How long a prompt may be, and how it is cut. */
interface PromptLimits {
  /** Undefined: no limit (tokenize). */
  readonly maxModelLen: number | undefined
  readonly maxOutputTokens: PyInt
  readonly truncatePromptTokens: PyInt | undefined
  readonly truncationSide: 'left' | 'right' | undefined
  readonly addSpecialTokens: boolean
}

/** Throws where more is asked than the context holds. */
// follows TokenizeParams of vllm/renderers/params.py
export function promptLimits(request: ChatRequest | CompletionRequest, { maxModelLen }: ServedModel): PromptLimits {
  const [parameter, wanted] = maxOutput(request)
  const { truncatePromptTokens, truncationSide, addSpecialTokens } = request
  if (wanted > maxModelLen)
    throw badRequest(
      `${parameter}=${wanted} cannot be greater than max_model_len=${maxModelLen}. Please request fewer output tokens.`,
      parameter,
      String(wanted),
    )
  if (truncatePromptTokens !== undefined && truncatePromptTokens > maxModelLen)
    throw badRequest(
      `truncate_prompt_tokens=${truncatePromptTokens} cannot be greater than max_model_len = ${maxModelLen}. Please request a smaller truncation size.`,
      'truncate_prompt_tokens',
      String(truncatePromptTokens),
    )
  if (request.kind === 'completion') checkPrompts(request)
  return { maxModelLen, maxOutputTokens: wanted, truncatePromptTokens, truncationSide, addSpecialTokens }
}

// follows render_prompts of vllm/renderers/base.py
function checkPrompts({ prompts, promptEmbeds }: CompletionRequest): void {
  if (prompts.length === 0 && (promptEmbeds ?? 0) === 0) throw badRequest('You must pass at least one prompt')
  if ((promptEmbeds ?? 0) > 0)
    throw badRequest('You must set `--enable-prompt-embeds` to input `prompt_embeds`.', 'prompt_embeds')
}

function maxOutput(request: ChatRequest | CompletionRequest): readonly [string, PyInt] {
  if (request.kind === 'chat' && request.maxCompletionTokens !== undefined)
    return ['max_completion_tokens', request.maxCompletionTokens]
  return ['max_tokens', request.maxTokens ?? 0]
}

/** A text as tokens, cut as asked. Throws where it is too long. */
export function encodePrompt(text: string, limits: PromptLimits, tokenizer: WireTokenizer): number[] {
  const ids = tokenizer.encode(withinCharacters(text, limits, tokenizer), limits)
  return withinTokens(encoderCut(ids, limits), limits)
}

/** Tokens that were sent, cut as asked. Throws where they are too many. */
export const acceptPromptIds = (ids: readonly PyInt[], limits: PromptLimits): number[] =>
  withinTokens(ids.map(Number), limits)

function withinCharacters(text: string, limits: PromptLimits, tokenizer: WireTokenizer): string {
  const { maxModelLen, truncatePromptTokens, truncationSide } = limits
  if (maxModelLen === undefined) return text
  const most = maxModelLen * tokenizer.longestToken
  if (text.length <= most) return text
  const length = characters(text)
  if (length <= most) return text
  if (truncatePromptTokens === undefined)
    throw badRequest(
      `This model's maximum context length is ${maxModelLen} tokens. However, your prompt contains ${length} characters (more than ${most} characters, which is the upper bound for ${maxModelLen} input tokens). Please reduce the length of the input prompt.`,
      'input_text',
      String(length),
    )
  if (truncationSide === undefined) return text
  const all = [...text]
  return (truncationSide === 'left' ? all.slice(-most) : all.slice(0, most)).join('')
}

/** Tokenizers cut by themselves, on the left, one token behind the limit, so that what is too long can be told. */
function encoderCut(ids: number[], limits: PromptLimits): number[] {
  const { maxModelLen, truncatePromptTokens, truncationSide } = limits
  if (truncationSide !== undefined && truncatePromptTokens !== undefined) return ids
  const most = keptTokens(limits) ?? (maxModelLen === undefined ? undefined : maxModelLen + 1)
  return most === undefined || ids.length <= most ? ids : ids.slice(ids.length - most)
}

/** How many tokens a cut keeps. -1 keeps what the context holds, less one for an answer. */
function keptTokens({ maxModelLen, maxOutputTokens, truncatePromptTokens }: PromptLimits): number | undefined {
  if (truncatePromptTokens === undefined || truncatePromptTokens >= 0)
    return truncatePromptTokens === undefined ? undefined : Number(truncatePromptTokens)
  if (maxModelLen === undefined || Number(maxOutputTokens) === 0) return maxModelLen
  return Math.max(0, maxModelLen - 1)
}

function withinTokens(ids: number[], limits: PromptLimits): number[] {
  const { maxModelLen, truncationSide } = limits
  const kept = keptTokens(limits)
  const cut =
    kept === undefined || kept >= ids.length
      ? ids
      : truncationSide === 'right'
        ? ids.slice(0, kept)
        : ids.slice(ids.length - kept)
  if (maxModelLen === undefined || cut.length <= maxModelLen) return cut
  const qualifier = cut.length === maxModelLen + 1 ? 'at least ' : ''
  throw badRequest(
    `This model's maximum context length is ${maxModelLen} tokens. However, your prompt contains ${qualifier}${cut.length} input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt.`,
    'input_tokens',
    String(cut.length),
  )
}
