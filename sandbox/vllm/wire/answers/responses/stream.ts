import type { WireError } from '../../errors.ts'
import type { GenerationObserver, GenerationTimes, SequenceOutput } from '../../generation.ts'
import type { StreamedAnswer } from '../../http.ts'
import { dumpsPydantic, type Json } from '../../python/dumps.ts'
import type { ToolAnswering } from '../chat/answering.ts'
import { type CallDelta, type Delta, parsedDelta } from '../chat/delta.ts'
import type { ToolParser } from '../tools/parser.ts'
import type { NewId, ResponseLogprobs, Steps } from './items.ts'
import {
  callItem,
  messageItem,
  type ResponseAbout,
  rawMessage,
  responseLogprobs,
  responseObject,
  textPart,
} from './response.ts'

/** The item that is being told. */
type Open =
  | { readonly kind: 'text'; readonly id: string; text: string }
  | {
      readonly kind: 'call'
      readonly id: string
      readonly callId: string
      readonly name: string
      readonly index: number
      text: string
    }

export interface ResponseStreamOptions {
  readonly about: ResponseAbout
  readonly logprobs: ResponseLogprobs | undefined
  readonly tools: ToolAnswering | undefined
  readonly newId: NewId
  readonly out: StreamedAnswer
}

/** A response as a stream of events. */
// follows vllm/entrypoints/openai/responses/serving.py responses_stream_generator and streaming_events.py
export class ResponseStream implements GenerationObserver {
  private readonly options: ResponseStreamOptions
  private readonly parser: ToolParser | undefined
  private readonly told: Json[] = []
  private open: Open | undefined
  private sequence = 0
  private text = ''
  private readonly tokenIds: number[] = []
  private cached = 0
  private createdTokens = 0
  private cut = false

  constructor(options: ResponseStreamOptions) {
    this.options = options
    this.parser = options.tools?.parser()
    const response = responseObject(options.about, [], undefined)
    this.event('response.created', (common) => ({ response, ...common }))
    this.event('response.in_progress', (common) => ({ response, ...common }))
  }

  began(about: { readonly cachedTokens: number; readonly createdCacheTokens: number }): void {
    this.cached = about.cachedTokens
    this.createdTokens = about.createdCacheTokens
  }

  output({ text, tokenIds, logprobs, finish }: SequenceOutput): void {
    this.tokenIds.push(...tokenIds)
    this.text += text
    if (finish) this.cut = finish.reason === 'length'
    const delta = this.delta(text, finish !== undefined)
    if (delta?.content) this.tellText(delta.content, logprobs ?? [])
    for (const call of delta?.calls ?? []) this.tellCall(call)
  }

  ended(times: GenerationTimes): void {
    this.close()
    const { about } = this.options
    const shows = about.request.get('enable_response_messages') === true
    const response = responseObject(about, this.told, {
      cached: this.cached,
      created: this.createdTokens,
      tokens: this.tokenIds.length,
      cut: this.cut,
      times,
      messages: shows
        ? { input: rawMessage(about.promptText, about.promptTokenIds), output: rawMessage(this.text, this.tokenIds) }
        : undefined,
    })
    this.event('response.completed', (common) => ({ response, ...common }))
    this.options.out.end()
  }

  /** Nothing catches it: the connection ends where it is. */
  failed(_: WireError): void {
    this.options.out.cut()
  }

  private delta(text: string, finished: boolean): Delta | undefined {
    const { tools } = this.options
    if (!tools || !this.parser || tools.choice === 'none') return { content: text }
    const delta = parsedDelta(this.parser.add(text), tools, finished)
    return delta?.calls && !tools.parallel ? { ...delta, calls: delta.calls.filter(({ index }) => index === 0) } : delta
  }

  private tellText(delta: string, steps: Steps): void {
    if (this.open?.kind !== 'text') this.openText()
    const item_id = this.open!.id
    this.open!.text += delta
    const { logprobs: wanted } = this.options
    const logprobs = wanted ? responseLogprobs(steps, { ...wanted, bytes: false }) : []
    const rest = { item_id, logprobs, output_index: this.told.length }
    this.event('response.output_text.delta', (common) => ({ content_index: 0, delta, ...rest, ...common }))
  }

  private tellCall({ index, id, name, arguments: delta }: CallDelta): void {
    if (id !== undefined && !(this.open?.kind === 'call' && this.open.index === index))
      this.openCall(index, id, name ?? '')
    if (!delta || this.open?.kind !== 'call') return
    this.open.text += delta
    const item_id = this.open.id
    const output_index = this.told.length
    this.event('response.function_call_arguments.delta', (common) => ({ delta, item_id, output_index, ...common }))
  }

  private openText(): void {
    this.close()
    const id = this.options.newId('msg')
    this.open = { kind: 'text', id, text: '' }
    const item = { id, content: [], role: 'assistant', status: 'in_progress', type: 'message', phase: null }
    this.item('response.output_item.added', item)
    this.part('response.content_part.added', id, textPart('', []))
  }

  private openCall(index: number, callId: string, name: string): void {
    this.close()
    this.open = { kind: 'call', id: this.options.newId('fc'), callId, name, index, text: '' }
    this.item('response.output_item.added', callItem(this.open, '', 'in_progress'))
  }

  private close(): void {
    const { open } = this
    if (!open) return
    this.open = undefined
    const done = open.kind === 'text' ? this.closeText(open) : this.closeCall(open)
    this.item('response.output_item.done', done)
    this.told.push(done)
  }

  private closeText({ id, text }: Open): Json {
    const output_index = this.told.length
    this.event('response.output_text.done', ({ sequence_number, type }) => ({
      content_index: 0,
      item_id: id,
      logprobs: [],
      output_index,
      sequence_number,
      text,
      type,
    }))
    this.part('response.content_part.done', id, textPart(text, null))
    return messageItem(id, text, null)
  }

  private closeCall(open: Open & { readonly kind: 'call' }): Json {
    const output_index = this.told.length
    this.event('response.function_call_arguments.done', (common) => ({
      arguments: open.text,
      item_id: open.id,
      output_index,
      ...common,
      name: open.name,
    }))
    return callItem(open, open.text, 'completed')
  }

  private item(type: string, item: Json): void {
    const output_index = this.told.length
    this.event(type, (common) => ({ item, output_index, ...common }))
  }

  private part(type: string, item_id: string, part: Json): void {
    const output_index = this.told.length
    this.event(type, (common) => ({ content_index: 0, item_id, output_index, part, ...common }))
  }

  private event(type: string, fields: (common: { sequence_number: number; type: string }) => Json): void {
    const data = dumpsPydantic(fields({ sequence_number: this.sequence++, type }))
    this.options.out.write(`event: ${type}\ndata: ${data}\n\n`)
  }
}
