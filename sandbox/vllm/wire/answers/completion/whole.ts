import type { WireError } from '../../errors.ts'
import type { GenerationObserver, GenerationTimes, TokenLogprobs } from '../../generation.ts'
import { floatRepr } from '../../python/text.ts'
import { jsonIds } from '../answering.ts'
import { type Collected, Collector } from '../collected.ts'
import { promptLogprobs } from '../likely.ts'
import { requestMetrics, wholeUsage } from '../usage.ts'
import type { AnsweredPrompt, CompletionAnswering } from './answering.ts'
import { completionLogprobs } from './logprobs.ts'
import { stepsOf } from './steps.ts'

/** What the engine has told of one prompt. */
interface PromptResult {
  readonly prompt: AnsweredPrompt
  readonly collector: Collector
  cached: number | undefined
  logprobs: readonly (TokenLogprobs | null)[] | undefined
}

/** Completions of all prompts of a request in one answer. */
// follows vllm/entrypoints/openai/completion/serving.py request_output_to_completion_response
export class WholeCompletion {
  private readonly answering: CompletionAnswering
  private readonly done: (json: string) => void
  private readonly refused: (error: WireError) => void
  private readonly results: readonly PromptResult[]
  private open: number
  private over = false

  constructor(answering: CompletionAnswering, done: (json: string) => void, refused: (error: WireError) => void) {
    this.answering = answering
    this.done = done
    this.refused = refused
    this.results = answering.prompts.map((prompt) => ({
      prompt,
      collector: new Collector(answering.choices),
      cached: undefined,
      logprobs: undefined,
    }))
    this.open = this.results.length
  }

  /** What is told of one prompt. */
  observer(index: number): GenerationObserver {
    const result = this.results[index]!
    return {
      began: ({ cachedTokens, promptLogprobs }) => {
        result.cached = cachedTokens
        result.logprobs = promptLogprobs
      },
      output: (output) => result.collector.add(output),
      ended: (times) => {
        if (--this.open > 0 || this.over) return
        this.over = true
        this.done(this.json(times))
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
    this.over = true
    this.refused(error)
  }

  private json(times: GenerationTimes): string {
    const { id, created, model, fingerprint, metrics, promptDetails } = this.answering
    const completion = this.results.reduce((sum, { collector }) => sum + collector.tokens, 0)
    const prompt = this.results.reduce((sum, result) => sum + result.prompt.tokenIds.length, 0)
    const cached = this.results.at(-1)?.cached
    const usage = wholeUsage({ prompt, completion }, promptDetails && cached !== undefined ? { cached } : undefined)
    const choices = this.results.flatMap((result) =>
      result.collector.sequences.map((sequence) => ({ result, sequence })),
    )
    return (
      `{"id":${JSON.stringify(id)},"object":"text_completion","created":${created},"model":${JSON.stringify(model)},` +
      `"choices":[${choices.map(({ result, sequence }, index) => this.choice(index, result, sequence)).join(',')}],` +
      `"service_tier":null,"system_fingerprint":${JSON.stringify(fingerprint)},"usage":${usage},` +
      `"kv_transfer_params":null,"ec_transfer_params":null,` +
      `"metrics":${metrics ? requestMetrics(times, completion, floatRepr, true) : 'null'}}`
    )
  }

  private choice(index: number, result: PromptResult, sequence: Collected): string {
    const { tokenIds } = this.answering
    const finish = sequence.finish
    return (
      `{"index":${index},"text":${JSON.stringify(this.text(result, sequence))},"logprobs":${this.logprobs(result, sequence)},` +
      `"finish_reason":${JSON.stringify(finish?.reason ?? null)},"stop_reason":${JSON.stringify(finish?.stopReason ?? null)},` +
      `"token_ids":${tokenIds ? jsonIds(sequence.tokenIds) : 'null'},` +
      `"prompt_logprobs":${promptLogprobs(result.logprobs, floatRepr)},` +
      `"prompt_token_ids":${tokenIds ? jsonIds(result.prompt.tokenIds) : 'null'},"routed_experts":null}`
    )
  }

  private text({ prompt }: PromptResult, { text }: Collected): string {
    const { echo, tokenIds, promptOnly } = this.answering
    if (!echo) return text
    const repeated = tokenIds ? '' : prompt.text()
    return promptOnly ? repeated : repeated + text
  }

  private logprobs({ prompt, logprobs }: PromptResult, sequence: Collected): string {
    const { logprobs: wanted, echo, promptOnly } = this.answering
    if (!wanted) return 'null'
    const steps = stepsOf(echo ? prompt.tokenIds : [], logprobs, echo && promptOnly ? undefined : sequence)
    return completionLogprobs(steps, { ...wanted, float: floatRepr }, (id) => this.answering.textOf(id)).json
  }
}
