import type { Answering } from '../answering.ts'

/** How a completion is to be answered. */
export interface CompletionAnswering extends Answering {
  readonly prompts: readonly AnsweredPrompt[]
  readonly echo: boolean
  /** `max_tokens` was 0: of an echo only the prompt is told. */
  readonly promptOnly: boolean
  /** Text of one token alone. */
  textOf(id: number): string
}

export interface AnsweredPrompt {
  readonly tokenIds: readonly number[]
  /** As sent, or decoded. Asked for only by an echo. */
  text(): string
}
