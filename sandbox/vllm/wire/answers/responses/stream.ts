import type { WireError } from '../../errors.ts'
import type { GenerationObserver, GenerationTimes, SequenceOutput, TokenLogprobs } from '../../generation.ts'
import type { StreamedAnswer } from '../../http.ts'
import { dumpsPydantic, type Json } from '../../python/dumps.ts'
import { messageItem, type ResponseAbout, responseLogprobs, responseObject, textPart } from './response.ts'

export interface ResponseLogprobs {
  readonly top: number
  readonly asTokenIds: boolean
}

/** A response as a stream of events. */
// follows vllm/entrypoints/openai/responses/serving.py responses_stream_generator
export class ResponseStream implements GenerationObserver {
  private readonly about: ResponseAbout
  private readonly itemId: string
  private readonly logprobs: ResponseLogprobs | undefined
  private readonly out: StreamedAnswer
  private sequence = 0
  private text = ''
  private tokens = 0
  private cached = 0
  private createdTokens = 0
  private cut = false

  constructor(about: ResponseAbout, itemId: string, logprobs: ResponseLogprobs | undefined, out: StreamedAnswer) {
    this.about = about
    this.itemId = itemId
    this.logprobs = logprobs
    this.out = out
    const response = responseObject(about, [], undefined)
    this.event('response.created', (common) => ({ response, ...common }))
    this.event('response.in_progress', (common) => ({ response, ...common }))
  }

  began(about: { readonly cachedTokens: number; readonly createdCacheTokens: number }): void {
    this.cached = about.cachedTokens
    this.createdTokens = about.createdCacheTokens
  }

  output({ text, tokenIds, logprobs, finish }: SequenceOutput): void {
    this.tokens += tokenIds.length
    if (finish) this.cut = finish.reason === 'length'
    if (text === '') return
    if (this.text === '') this.open()
    this.text += text
    const told = this.toldLogprobs(logprobs ?? [])
    this.event('response.output_text.delta', ({ sequence_number, type }) => ({
      content_index: 0,
      delta: text,
      item_id: this.itemId,
      logprobs: told,
      output_index: 0,
      sequence_number,
      type,
    }))
  }

  ended(times: GenerationTimes): void {
    const output = this.text === '' ? [] : [this.close()]
    const end = { cached: this.cached, created: this.createdTokens, tokens: this.tokens, cut: this.cut, times }
    const response = responseObject(this.about, output, end)
    this.event('response.completed', (common) => ({ response, ...common }))
    this.out.end()
  }

  /** Nothing catches it: the connection ends where it is. */
  failed(_: WireError): void {
    this.out.cut()
  }

  private open(): void {
    const item = {
      id: this.itemId,
      content: [],
      role: 'assistant',
      status: 'in_progress',
      type: 'message',
      phase: null,
    }
    this.event('response.output_item.added', (common) => ({ item, output_index: 0, ...common }))
    this.part('response.content_part.added', textPart('', []))
  }

  private close(): Json {
    this.event('response.output_text.done', ({ sequence_number, type }) => ({
      content_index: 0,
      item_id: this.itemId,
      logprobs: [],
      output_index: 0,
      sequence_number,
      text: this.text,
      type,
    }))
    this.part('response.content_part.done', textPart(this.text, null))
    const item = messageItem(this.itemId, this.text, null)
    this.event('response.output_item.done', (common) => ({ item, output_index: 0, ...common }))
    return item
  }

  private part(type: string, part: Json): void {
    this.event(type, (common) => ({ content_index: 0, item_id: this.itemId, output_index: 0, part, ...common }))
  }

  private toldLogprobs(steps: readonly TokenLogprobs[]): Json {
    return this.logprobs ? responseLogprobs(steps, { ...this.logprobs, bytes: false }) : []
  }

  private event(type: string, fields: (common: { sequence_number: number; type: string }) => Json): void {
    this.out.write(`event: ${type}\ndata: ${dumpsPydantic(fields({ sequence_number: this.sequence++, type }))}\n\n`)
  }
}
