import type { WireError } from '../../errors.ts'
import type { GenerationObserver, GenerationTimes, SequenceOutput, TokenLogprobs } from '../../generation.ts'
import { floatRepr } from '../../python/text.ts'
import { jsonIds } from '../answering.ts'
import { type Collected, Collector } from '../collected.ts'
import { promptLogprobs } from '../likely.ts'
import { type PromptDetails, requestMetrics, wholeUsage } from '../usage.ts'
import type { ChatAnswering } from './answering.ts'
import { chatLogprobs } from './logprobs.ts'
import { type ChatMessage, messageJson, parsedMessage } from './message.ts'

/** A choice of a whole chat answer, before it is written. */
export interface ChatChoice {
  readonly message: ChatMessage
  readonly finishReason: string
  readonly stopReason: string | number | null
}

/** A chat answer as clients of other protocols are told of it. */
export interface ChatResult {
  readonly choices: readonly ChatChoice[]
  readonly promptTokens: number
  readonly completionTokens: number
  readonly details: PromptDetails | undefined
  /** The body of `/v1/chat/completions`. */
  json(): string
}

/** A chat in one answer. */
// follows vllm/entrypoints/openai/chat_completion/serving.py chat_completion_full_generator
export class WholeChat implements GenerationObserver {
  private readonly answering: ChatAnswering
  private readonly done: (result: ChatResult) => void
  private readonly refused: (error: WireError) => void
  private readonly collector: Collector
  private details: PromptDetails | undefined
  private promptLogprobs: readonly (TokenLogprobs | null)[] | undefined

  constructor(answering: ChatAnswering, done: (result: ChatResult) => void, refused: (error: WireError) => void) {
    this.answering = answering
    this.done = done
    this.refused = refused
    this.collector = new Collector(answering.choices)
  }

  began(about: Parameters<NonNullable<GenerationObserver['began']>>[0]): void {
    this.details = { cached: about.cachedTokens, created: about.createdCacheTokens }
    this.promptLogprobs = about.promptLogprobs
  }

  output(output: SequenceOutput): void {
    this.collector.add(output)
  }

  ended(times: GenerationTimes): void {
    const { sequences, tokens } = this.collector
    const choices = sequences.map((sequence) => this.choice(sequence))
    const promptTokens = this.answering.promptTokenIds.length
    const details = this.answering.promptDetails ? this.details : undefined
    const json = () => this.json(choices, times)
    this.done({ choices, promptTokens, completionTokens: tokens, details, json })
  }

  failed(error: WireError): void {
    this.refused(error)
  }

  private choice({ text, finish }: Collected): ChatChoice {
    const { role, tools, echo } = this.answering
    const { message, called } = parsedMessage(text, role, tools)
    const { reason, stopReason } = finish ?? { reason: 'stop', stopReason: null }
    const calls = called || (tools?.choice === 'required' && reason === 'stop')
    const repeated = echo === undefined ? message : { ...message, content: echo + (message.content ?? '') }
    return { message: repeated, finishReason: calls ? 'tool_calls' : reason, stopReason }
  }

  private json(choices: readonly ChatChoice[], times: GenerationTimes): string {
    const { id, created, model, fingerprint, promptTokenIds, promptText, tokenIds, metrics } = this.answering
    const { tokens } = this.collector
    const usage = wholeUsage(
      { prompt: promptTokenIds.length, completion: tokens },
      this.answering.promptDetails ? this.details : undefined,
    )
    return (
      `{"id":${JSON.stringify(id)},"object":"chat.completion","created":${created},"model":${JSON.stringify(model)},` +
      `"choices":[${choices.map((choice, index) => this.choiceJson(choice, index)).join(',')}],"service_tier":null,` +
      `"system_fingerprint":${JSON.stringify(fingerprint)},"usage":${usage},` +
      `"prompt_logprobs":${promptLogprobs(this.promptLogprobs, floatRepr)},` +
      `"prompt_token_ids":${tokenIds ? jsonIds(promptTokenIds) : 'null'},"prompt_text":${JSON.stringify(promptText ?? null)},` +
      `"kv_transfer_params":null,"ec_transfer_params":null,` +
      `"metrics":${metrics ? requestMetrics(times, tokens, floatRepr, true) : 'null'}}`
    )
  }

  private choiceJson({ message, finishReason, stopReason }: ChatChoice, index: number): string {
    const { logprobs: wanted, tokenIds, tools } = this.answering
    const hidden = tools !== undefined && !tools.includeReasoning
    const sequence = this.collector.sequences[index]!
    const logprobs = wanted && !hidden ? chatLogprobs(sequence.logprobs, { ...wanted, float: floatRepr }) : 'null'
    return choiceJson({
      index,
      message,
      logprobs,
      finishReason,
      stopReason,
      tokenIds: tokenIds && !hidden ? sequence.tokenIds : undefined,
    })
  }
}

/** A choice of a whole answer. */
export const choiceJson = (choice: {
  readonly index: number
  readonly message: ChatMessage
  readonly logprobs: string
  readonly finishReason: string
  readonly stopReason: string | number | null
  readonly tokenIds: readonly number[] | undefined
}): string =>
  `{"index":${choice.index},"message":${messageJson(choice.message)},"logprobs":${choice.logprobs},` +
  `"finish_reason":${JSON.stringify(choice.finishReason)},"stop_reason":${JSON.stringify(choice.stopReason)},` +
  `"token_ids":${choice.tokenIds ? jsonIds(choice.tokenIds) : 'null'},"routed_experts":null}`
