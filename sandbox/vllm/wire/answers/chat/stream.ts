import type { WireError } from '../../errors.ts'
import type { Finish, GenerationObserver, GenerationTimes, SequenceOutput } from '../../generation.ts'
import type { StreamedAnswer } from '../../http.ts'
import { pydanticFloat } from '../../python/text.ts'
import { jsonIds } from '../answering.ts'
import { DONE, errorEvent } from '../events.ts'
import type { ToolParser } from '../tools/parser.ts'
import { continuousUsage, lastUsage, type PromptDetails, requestMetrics } from '../usage.ts'
import type { ChatAnswering, ToolAnswering } from './answering.ts'
import { type Delta, deltaJson, NOTHING, parsedDelta } from './delta.ts'
import { chatLogprobs } from './logprobs.ts'

/** A choice of the stream. */
interface Choice {
  /** What stands before the text of a plain chunk. */
  readonly plain: string
  readonly parser: ToolParser | undefined
  tokens: number
  toolsTold: boolean
  finished: boolean
}

const PLAIN_END = '},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n'

/** A chat as a stream of chunks: one per output of the engine, each with what is new in one choice. */
// follows vllm/entrypoints/openai/chat_completion/serving.py chat_completion_stream_generator
export class ChatStream implements GenerationObserver {
  private readonly answering: ChatAnswering
  private readonly out: StreamedAnswer
  private readonly head: string
  private readonly choices: readonly Choice[]
  /** Nothing of an output is told but its text. */
  private readonly plain: boolean
  private begun = false
  private details: PromptDetails | undefined

  constructor(answering: ChatAnswering, out: StreamedAnswer) {
    this.answering = answering
    this.out = out
    const { id, created, model, tools } = answering
    this.head = `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)},"choices":[`
    this.choices = Array.from({ length: answering.choices }, (_, index) => ({
      plain: `${this.head}{"index":${index},"delta":{"content":`,
      parser: tools?.parser(),
      tokens: 0,
      toolsTold: false,
      finished: false,
    }))
    this.plain = !answering.logprobs && !answering.tokenIds && !answering.continuousUsage && !tools
  }

  began(about: { readonly cachedTokens: number; readonly createdCacheTokens: number }): void {
    this.details = { cached: about.cachedTokens, created: about.createdCacheTokens }
  }

  output(output: SequenceOutput): void {
    if (!this.begun) this.begin()
    const choice = this.choices[output.index]!
    if (choice.finished) return
    if (output.text === '' && output.tokenIds.length === 0 && choice.tokens === 0) return
    if (this.plain && !output.finish) {
      choice.tokens += output.tokenIds.length
      this.out.write(choice.plain + JSON.stringify(output.text) + PLAIN_END)
      return
    }
    this.tell(choice, output)
  }

  ended(times: GenerationTimes): void {
    const { includeUsage, fingerprint, metrics, promptDetails } = this.answering
    if (includeUsage) {
      const completion = this.choices.reduce((sum, { tokens }) => sum + tokens, 0)
      const usage = lastUsage(
        { prompt: this.answering.promptTokenIds.length, completion },
        promptDetails ? this.details : undefined,
      )
      const about = metrics ? `,"metrics":${requestMetrics(times, completion, pydanticFloat, false)}` : ''
      this.out.write(`${this.head}],"usage":${usage}${fingerprintField(fingerprint)}${about}}\n\n`)
    }
    this.done()
  }

  failed(error: WireError): void {
    this.out.write(errorEvent(error))
    this.done()
  }

  /** A chunk with the role for each choice, and one that repeats the last message where that was asked for. */
  private begin(): void {
    this.begun = true
    const { role, promptTokenIds, promptText, tokenIds, echo } = this.answering
    const ids = tokenIds ? jsonIds(promptTokenIds) : 'null'
    const prompt = `,"prompt_token_ids":${ids},"prompt_text":${JSON.stringify(promptText ?? null)}`
    this.toAll(`{"role":${JSON.stringify(role)},"content":""}`, prompt)
    if (echo) this.toAll(`{"content":${JSON.stringify(echo)}}`, '')
  }

  private toAll(delta: string, more: string): void {
    for (const index of this.choices.keys()) {
      const choice = `{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":null}`
      this.out.write(`${this.head}${choice}]${this.usage(0)}${more}}\n\n`)
    }
  }

  private tell(choice: Choice, output: SequenceOutput): void {
    const { logprobs: wanted, tools } = this.answering
    const hidden = tools !== undefined && !tools.includeReasoning
    const logprobs =
      wanted && !hidden ? chatLogprobs(output.logprobs ?? [], { ...wanted, float: pydanticFloat }) : undefined
    const delta = this.delta(choice, output)
    choice.tokens += output.tokenIds.length
    const ids = this.answering.tokenIds && !hidden ? jsonIds(output.tokenIds) : undefined
    if (delta === undefined && !output.finish && logprobs === undefined && ids === undefined) return
    if (output.finish) choice.finished = true
    const finish = output.finish ? this.finish(choice, output.finish) : '"finish_reason":null'
    this.out.write(
      `${this.head}{"index":${output.index},"delta":${deltaJson(delta ?? NOTHING)},"logprobs":${logprobs ?? null},${finish}` +
        `,"token_ids":${ids ?? null}}]${this.usage(choice.tokens)}${this.ending(output.finish)}}\n\n`,
    )
  }

  private delta(choice: Choice, output: SequenceOutput): Delta | undefined {
    const { tools } = this.answering
    if (!tools || !choice.parser) return { content: output.text }
    const delta = this.parsed(choice.parser, tools, output)
    if (!delta || tools.includeReasoning) return delta
    return delta.content || delta.calls ? { ...delta, reasoning: null } : undefined
  }

  private parsed(parser: ToolParser, tools: ToolAnswering, output: SequenceOutput): Delta | undefined {
    if (tools.choice === 'none') return output.text === '' ? undefined : { content: output.text }
    const delta = parsedDelta(parser.add(output.text), tools, output.finish !== undefined)
    if (delta?.calls) this.choices[output.index]!.toolsTold = true
    return delta && !tools.parallel ? firstCallOnly(delta) : delta
  }

  private finish(choice: Choice, { reason, stopReason }: Finish): string {
    const named = this.answering.tools?.choice === 'named'
    const told = choice.toolsTold && !named && reason === 'stop' ? 'tool_calls' : reason
    return `"finish_reason":"${told}","stop_reason":${JSON.stringify(stopReason)}`
  }

  /** The fingerprint stands in the last message of a choice, unless one about usage follows. */
  private ending(finish: Finish | undefined): string {
    return finish && !this.answering.includeUsage ? fingerprintField(this.answering.fingerprint) : ''
  }

  private usage(completion: number): string {
    const { continuousUsage: wanted, promptTokenIds } = this.answering
    return wanted ? `,"usage":${continuousUsage({ prompt: promptTokenIds.length, completion }, true)}` : ''
  }

  private done(): void {
    this.out.write(DONE)
    this.out.end()
  }
}

const fingerprintField = (fingerprint: string | null): string =>
  fingerprint === null ? '' : `,"system_fingerprint":${JSON.stringify(fingerprint)}`

const firstCallOnly = (delta: Delta): Delta =>
  delta.calls ? { ...delta, calls: delta.calls.filter(({ index }) => index === 0) } : delta
