import { sanitizeMessage } from '../../errors.ts'
import type { StreamedAnswer } from '../../http.ts'
import { dumpsPydantic } from '../../python/dumps.ts'
import { parsePythonJson } from '../../python/json-scanner.ts'
import { pyRepr } from '../../python/text.ts'
import { type ChatUsage, isJson, stopOf, usageOf } from './blocks.ts'

interface Chunk {
  readonly id: string
  readonly model: string
  readonly choices: readonly {
    readonly finish_reason: string | null
    readonly stop_reason?: string | number | null
    readonly delta: { readonly content?: string | null; readonly tool_calls?: readonly CallChunk[] }
  }[]
  readonly usage?: ChatUsage
}

interface CallChunk {
  readonly index: number
  readonly id?: string
  readonly function?: { readonly name?: string; readonly arguments?: string }
}

type Block = { readonly type: 'text' } | { readonly type: 'tool_use'; readonly id: string }

/** Takes the events of a chat's stream and tells them as Anthropic's events. */
// follows vllm/entrypoints/anthropic/serving.py message_stream_converter
export class MessageStream implements StreamedAnswer {
  private readonly out: StreamedAnswer
  private first = true
  private broken = false
  private index = 0
  private block: Block | undefined
  private readonly pending: string[] = []
  private readonly callIds = new Map<number, string>()
  private lastArguments: string[] = []
  private toolUsed = false
  private finishReason: string | undefined
  private stopReason: string | number | null = null

  constructor(out: StreamedAnswer) {
    this.out = out
  }

  write(event: string | Uint8Array): void {
    const data = String(event).slice('data: '.length).trim()
    if (this.broken) return
    if (data === '[DONE]') {
      this.stopBlock()
      this.event('message_stop', { type: 'message_stop' })
      return
    }
    const chunk: Chunk | { readonly error: unknown } = JSON.parse(data)
    if ('error' in chunk) this.fail(data)
    else if (this.first) this.start(chunk)
    else if (chunk.choices.length === 0) this.finish(chunk)
    else this.delta(chunk.choices[0]!)
  }

  end(): void {
    this.out.end()
  }

  cut(): void {
    this.out.cut()
  }

  private event(name: string, data: Parameters<typeof dumpsPydantic>[0]): void {
    this.out.write(`event: ${name}\ndata: ${dumpsPydantic(data)}\n\n`)
  }

  private start({ id, model, usage }: Chunk): void {
    this.first = false
    const message = {
      id,
      type: 'message',
      role: 'assistant',
      content: [],
      model,
      stop_reason: null,
      stop_sequence: null,
    }
    this.event('message_start', { type: 'message_start', message: { ...message, usage: { ...usageOf(usage) } } })
  }

  private finish({ usage }: Chunk): void {
    this.stopBlock()
    const toolComplete = this.toolUsed && isJson(this.lastArguments.join(''))
    const stop = stopOf(this.finishReason ?? 'stop', this.stopReason, { toolUsed: this.toolUsed, toolComplete })
    this.event('message_delta', { type: 'message_delta', delta: { ...stop }, usage: { ...usageOf(usage) } })
  }

  private delta({ delta, finish_reason, stop_reason }: Chunk['choices'][number]): void {
    if (finish_reason !== null) {
      this.finishReason = finish_reason
      this.stopReason = stop_reason ?? null
    }
    if (delta.content) this.text(delta.content)
    for (const call of delta.tool_calls ?? []) this.call(call)
  }

  private text(text: string): void {
    if (this.block?.type === 'tool_use') {
      this.pending.push(text)
      return
    }
    if (this.block?.type !== 'text') {
      this.stopBlock()
      this.startBlock({ type: 'text' }, { type: 'text', text: '' })
    }
    this.blockDelta({ type: 'text_delta', text })
  }

  private call({ index, id, function: called }: CallChunk): void {
    if (id !== undefined) this.callIds.set(index, id)
    if (id !== undefined && called?.name !== undefined && this.callId() !== id) {
      this.stopBlock()
      this.toolUsed = true
      this.lastArguments = []
      this.startBlock({ type: 'tool_use', id }, { type: 'tool_use', id, name: called.name, input: {} })
    }
    const meant = id ?? this.callIds.get(index)
    if (!called?.arguments || meant === undefined || meant !== this.callId()) return
    this.lastArguments.push(called.arguments)
    this.blockDelta({ type: 'input_json_delta', partial_json: called.arguments })
  }

  private callId(): string | undefined {
    return this.block?.type === 'tool_use' ? this.block.id : undefined
  }

  private startBlock(block: Block, told: Readonly<Record<string, string | Readonly<Record<string, never>>>>): void {
    this.block = block
    this.event('content_block_start', { type: 'content_block_start', content_block: told, index: this.index })
  }

  private blockDelta(delta: Readonly<Record<string, string>>): void {
    this.event('content_block_delta', { type: 'content_block_delta', delta, index: this.index })
  }

  /** Ends the block, and tells text that came between pieces of a call in one of its own. */
  private stopBlock(): void {
    const pending = this.pending.splice(0).join('')
    this.stopOne()
    if (pending === '') return
    this.startBlock({ type: 'text' }, { type: 'text', text: '' })
    this.blockDelta({ type: 'text_delta', text: pending })
    this.stopOne()
  }

  private stopOne(): void {
    if (!this.block) return
    this.event('content_block_stop', { type: 'content_block_stop', index: this.index })
    this.block = undefined
    this.index++
  }

  /** An error of the chat is no chunk, and its reader says so. */
  private fail(data: string): void {
    this.broken = true
    const about = shortened(pyRepr(parsePythonJson(data)))
    const missing = (field: string) =>
      `${field}\n  Field required [type=missing, input_value=${about}, input_type=dict]\n    For further information visit https://errors.pydantic.dev/2.14/v/missing`
    const message = `2 validation errors for ChatCompletionStreamResponse\n${missing('model')}\n${missing('choices')}`
    const error = { type: 'internal_error', message: sanitizeMessage(message) }
    this.event('error', { type: 'error', error })
  }
}

function shortened(repr: string): string {
  const chars = [...repr]
  return chars.length > 50 ? `${chars.slice(0, 25).join('')}...${chars.slice(-24).join('')}` : repr
}
