import type { WireError } from '../../errors.ts'
import type { GenerationObserver, GenerationTimes, SequenceOutput, TokenLogprobs } from '../../generation.ts'
import type { StreamedAnswer } from '../../http.ts'
import { pydanticFloat } from '../../python/text.ts'
import { jsonIds } from '../answering.ts'
import { DONE, errorEvent } from '../events.ts'
import { continuousUsage, lastUsage, requestMetrics } from '../usage.ts'
import type { CompletionAnswering } from './answering.ts'
import { completionLogprobs } from './logprobs.ts'
import { stepsOf } from './steps.ts'

interface Choice {
  readonly index: number
  /** What stands before the text of a plain chunk. */
  readonly plain: string
  readonly prompt: number
  tokens: number
  /** The prompt has been told, by an echo or as ids. */
  promptTold: boolean
  textOffset: number
}

const PLAIN_END =
  ',"logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}\n\n'

/** Completions of all prompts of a request as one stream of chunks, in the order in which the engine gives outputs. */
// follows vllm/entrypoints/openai/completion/serving.py completion_stream_generator
export class CompletionStream {
  private readonly answering: CompletionAnswering
  private readonly out: StreamedAnswer
  private readonly head: string
  private readonly choices: readonly Choice[]
  private readonly plain: boolean
  private readonly promptLogprobs: (readonly (TokenLogprobs | null)[] | undefined)[] = []
  private cached: number | undefined
  private open: number
  private over = false

  constructor(answering: CompletionAnswering, out: StreamedAnswer) {
    this.answering = answering
    this.out = out
    const { id, created, model, prompts, choices } = answering
    this.head = `data: {"id":${JSON.stringify(id)},"object":"text_completion","created":${created},"model":${JSON.stringify(model)},"choices":[`
    this.choices = Array.from({ length: prompts.length * choices }, (_, index) => ({
      index,
      plain: `${this.head}{"index":${index},"text":`,
      prompt: Math.floor(index / choices),
      tokens: 0,
      promptTold: false,
      textOffset: 0,
    }))
    this.plain = !answering.logprobs && !answering.tokenIds && !answering.continuousUsage && !answering.echo
    this.open = prompts.length
  }

  /** What is told of one prompt. */
  observer(prompt: number): GenerationObserver {
    return {
      began: ({ cachedTokens, promptLogprobs }) => {
        this.cached ??= cachedTokens
        this.promptLogprobs[prompt] = promptLogprobs
      },
      output: (output) => this.output(prompt, output),
      ended: (times) => {
        if (--this.open === 0) this.end(times)
      },
      failed: (error) => this.fail(error),
    }
  }

  /** Nothing more is to be told. */
  get closed(): boolean {
    return this.over
  }

  fail(error: WireError): void {
    if (this.over) return
    this.out.write(errorEvent(error))
    this.done()
  }

  private output(prompt: number, output: SequenceOutput): void {
    if (this.over) return
    const choice = this.choices[prompt * this.answering.choices + output.index]!
    const { text, tokenIds, finish } = output
    if (this.plain && !finish) {
      if (text === '' && tokenIds.length === 0 && choice.tokens === 0) return
      choice.tokens += tokenIds.length
      this.out.write(choice.plain + JSON.stringify(text) + PLAIN_END)
      return
    }
    this.tell(choice, output)
  }

  private tell(choice: Choice, output: SequenceOutput): void {
    const { echo, tokenIds, continuousUsage: usage, includeUsage, fingerprint } = this.answering
    const prompt = this.answering.prompts[choice.prompt]!
    const echoes = echo && !choice.promptTold
    const nothing = output.text === '' && output.tokenIds.length === 0 && choice.tokens === 0
    const promptIds = (echo || tokenIds) && !choice.promptTold ? jsonIds(prompt.tokenIds) : 'null'
    choice.promptTold ||= echo || tokenIds
    if (nothing && !echoes) return
    const text = echoes ? this.echoed(choice, output) : output.text
    const logprobs = this.logprobs(choice, output, echoes)
    choice.tokens += output.tokenIds.length
    const counts = { prompt: prompt.tokenIds.length, completion: choice.tokens }
    const finish = output.finish
    this.out.write(
      `${this.head}{"index":${choice.index},"text":${JSON.stringify(text)},"logprobs":${logprobs},` +
        `"finish_reason":${JSON.stringify(finish?.reason ?? null)},"stop_reason":${JSON.stringify(finish?.stopReason ?? null)},` +
        `"prompt_token_ids":${promptIds},"token_ids":${tokenIds ? jsonIds(output.tokenIds) : 'null'}}]` +
        `${usage ? `,"usage":${continuousUsage(counts, false)}` : ''}` +
        `${finish && !includeUsage ? fingerprintField(fingerprint) : ''}}\n\n`,
    )
  }

  private echoed(choice: Choice, output: SequenceOutput): string {
    const { tokenIds, promptOnly, prompts } = this.answering
    const prompt = tokenIds ? '' : prompts[choice.prompt]!.text()
    return promptOnly ? prompt : prompt + output.text
  }

  private logprobs(choice: Choice, output: SequenceOutput, echoes: boolean): string {
    const { logprobs: wanted, prompts, promptOnly } = this.answering
    if (!wanted) return 'null'
    const promptIds = echoes ? prompts[choice.prompt]!.tokenIds : []
    const steps = stepsOf(promptIds, this.promptLogprobs[choice.prompt], echoes && promptOnly ? undefined : output)
    const options = { ...wanted, float: pydanticFloat }
    const { json, next } = completionLogprobs(steps, options, (id) => this.answering.textOf(id), choice.textOffset)
    choice.textOffset = next
    return json
  }

  private end(times: GenerationTimes): void {
    if (this.over) return
    const { includeUsage, promptDetails, fingerprint, metrics, prompts } = this.answering
    if (includeUsage) {
      const completion = this.choices.reduce((sum, { tokens }) => sum + tokens, 0)
      const prompt = prompts.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0)
      const details = promptDetails && this.cached !== undefined ? { cached: this.cached } : undefined
      const about = metrics ? `,"metrics":${requestMetrics(times, completion, pydanticFloat, false)}` : ''
      const usage = lastUsage({ prompt, completion }, details)
      this.out.write(`${this.head}],"usage":${usage}${fingerprintField(fingerprint)}${about}}\n\n`)
    }
    this.done()
  }

  private done(): void {
    this.over = true
    this.out.write(DONE)
    this.out.end()
  }
}

const fingerprintField = (fingerprint: string | null): string =>
  fingerprint === null ? '' : `,"system_fingerprint":${JSON.stringify(fingerprint)}`
