import type { Answering } from '../answering.ts'
import type { ToolParserFactory } from '../tools/parser.ts'

/** How a chat is to be answered. */
export interface ChatAnswering extends Answering {
  /** Of the message: that of the assistant, or of the message that is continued. */
  readonly role: string
  readonly promptTokenIds: readonly number[]
  /** Undefined: it was not asked for. */
  readonly promptText: string | undefined
  /** Content of the last message, to be repeated first; undefined: no echo. */
  readonly echo: string | undefined
  /** Tools as the parser of the server finds them; undefined: the server has no parser. */
  readonly tools: ToolAnswering | undefined
}

/** What becomes of tool calls in the output. */
export interface ToolAnswering {
  /** `unset`: null was sent. Streams look for calls then, whole answers drop what they find. */
  readonly choice: 'unset' | 'none' | 'auto' | 'required' | 'named'
  /** False: only the first call is told. */
  readonly parallel: boolean
  /** False: whatever belongs to single tokens is kept back. */
  readonly includeReasoning: boolean
  readonly parser: ToolParserFactory
  newId(): string
}
