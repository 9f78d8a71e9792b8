import type { Us } from '../../../sandbox/world/time.ts'

interface Usage {
  readonly prompt_tokens?: number
  readonly completion_tokens?: number
  readonly prompt_tokens_details?: { readonly cached_tokens?: number | null } | null
}

interface Delta {
  readonly content?: unknown
  readonly reasoning?: unknown
  readonly reasoning_content?: unknown
  readonly tool_calls?: readonly unknown[]
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: Delta
    readonly message?: Delta
    readonly text?: unknown
    readonly finish_reason?: string | null
  }[]
  readonly usage?: Usage | null
  readonly error?: { readonly message?: unknown; readonly code?: unknown } | string
}

/** The pieces of one answer, and when they came. A first piece that only names the role is none. */
export class Answer {
  firstTextAt: Us | undefined
  finishReason: string | undefined
  /** `[DONE]` has come. */
  done = false
  /** What an error event said. */
  error: string | undefined
  usage: Usage | undefined
  /** Between pieces with text. */
  readonly itlUs: Us[] = []
  private lastTextAt = 0

  /** The data of one event, with one character a byte. */
  event(data: string, at: Us): void {
    // most events are one more piece: known by their bytes, without being parsed
    if (this.firstTextAt !== undefined && isPlainPiece(data)) {
      this.text(at)
      return
    }
    if (data === '[DONE]') {
      this.done = true
      return
    }
    const chunk = parsed(data)
    if (!chunk) return
    if (chunk.error !== undefined && chunk.error !== null) this.error ??= messageOf(chunk.error)
    if (chunk.usage) this.usage = chunk.usage
    let carries = false
    for (const { delta, message, text, finish_reason: reason } of chunk.choices ?? []) {
      if (reason) this.finishReason = reason
      carries ||= hasText(delta ?? message) || isText(text)
    }
    if (carries) this.text(at)
  }

  /** Tokens that came: the server's count, or where it gives none the pieces. */
  get outputTokens(): number {
    return this.usage?.completion_tokens ?? (this.firstTextAt === undefined ? 0 : this.itlUs.length + 1)
  }

  private text(at: Us): void {
    if (this.firstTextAt === undefined) this.firstTextAt = at
    else this.itlUs.push(at - this.lastTextAt)
    this.lastTextAt = at
  }
}

/** The text of an error's JSON body, or its begin. */
export function errorText(body: string): string {
  const text = Buffer.from(body, 'latin1').toString('utf8')
  const json = parsed(text) as (Chunk & { readonly message?: unknown; readonly detail?: unknown }) | undefined
  const said = json?.error ?? json?.message ?? json?.detail
  return (said === undefined || said === null ? text : messageOf(said)).slice(0, 300)
}

const CHAT_PIECE = '"delta":{"content":"'
const COMPLETION_PIECE = '"text":"'

function isPlainPiece(data: string): boolean {
  if (!data.includes('"finish_reason":null') || data.includes('"usage":{')) return false
  for (const mark of [CHAT_PIECE, COMPLETION_PIECE]) {
    const at = data.indexOf(mark)
    if (at >= 0) return data[at + mark.length] !== '"'
  }
  return false
}

function hasText(delta: Delta | undefined): boolean {
  if (!delta) return false
  return (
    isText(delta.content) ||
    isText(delta.reasoning) ||
    isText(delta.reasoning_content) ||
    (delta.tool_calls?.length ?? 0) > 0
  )
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

function parsed(text: string): Chunk | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Chunk) : undefined
  } catch {
    return undefined
  }
}

function messageOf(error: unknown): string {
  const message = (error as { message?: unknown }).message
  return typeof message === 'string' ? message : typeof error === 'string' ? error : JSON.stringify(error)
}
