/** A call that a model asks for. */
export interface ToolCall {
  readonly name: string
  /** JSON. */
  readonly arguments: string
}

/** News of a call in a stream: first its name, then pieces of its arguments. */
export type ToolDelta =
  | { readonly index: number; readonly name: string }
  | { readonly index: number; readonly arguments: string }

export interface OutputDelta {
  /** Undefined: no text besides calls. */
  readonly content: string | undefined
  readonly calls: readonly ToolDelta[]
}

/** Finds tool calls in the output of one sequence. */
export interface ToolParser {
  /** Of a whole output. Undefined: there are none, and the output is all text. */
  whole(output: string): { readonly calls: readonly ToolCall[]; readonly content: string | undefined } | undefined
  /** What is new when `text` is added to the output. Undefined: nothing that may be told yet. */
  add(text: string): OutputDelta | undefined
}

export type ToolParserFactory = () => ToolParser
