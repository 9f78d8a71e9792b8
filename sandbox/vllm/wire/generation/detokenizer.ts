import type { DecodeStream } from '../tokenizer/decode-stream.ts'

export interface StopRules {
  readonly stop: readonly string[]
  readonly includeStopStrInOutput: boolean
  readonly minTokens: number
}

/** Tokens of one sequence to text, with an eye on stop strings: what may be the beginning of one is held back. */
// follows BaseIncrementalDetokenizer in vllm/v1/engine/detokenizer.py
export class Detokenizer {
  private readonly stream: DecodeStream
  private readonly rules: StopRules
  /** In characters. */
  private readonly holdBack: number
  private text = ''
  private told = 0
  private tokens = 0

  constructor(stream: DecodeStream, rules: StopRules) {
    this.stream = stream
    this.rules = rules
    const { stop, includeStopStrInOutput } = rules
    this.holdBack = stop.length === 0 || includeStopStrInOutput ? 0 : Math.max(...stop.map(lengthOf)) - 1
  }

  /** Adds a token. Returns the stop string that it completes. */
  add(id: number): string | undefined {
    this.tokens++
    const before = this.text.length
    this.text += this.stream.step(id)
    const { stop, minTokens, includeStopStrInOutput } = this.rules
    if (stop.length === 0 || this.tokens <= minTokens || this.text.length === before) return undefined
    const found = firstStop(this.text, this.text.length - before, stop)
    if (!found) return undefined
    this.text = this.text.slice(0, includeStopStrInOutput ? found.end : found.end - found.text.length)
    return found.text
  }

  /** Text that can be told now; all there is, when it has ended. */
  take(ended: boolean): string {
    const until = ended ? this.text.length : this.heldFrom()
    if (until <= this.told) return ''
    const fresh = this.text.slice(this.told, until)
    if (this.rules.stop.length === 0) {
      this.text = ''
      this.told = 0
    } else this.told = until
    return fresh
  }

  /** Where the last characters begin that are held back. */
  private heldFrom(): number {
    let at = this.text.length
    for (let left = this.holdBack; left > 0 && at > 0; left--) {
      at--
      if (at > 0 && isLowSurrogate(this.text.charCodeAt(at)) && isHighSurrogate(this.text.charCodeAt(at - 1))) at--
    }
    return at
  }
}

/** The stop string that is complete first within the last `fresh` units of a text; of several the first in the list. */
// follows check_stop_strings in vllm/v1/engine/detokenizer.py
function firstStop(
  text: string,
  fresh: number,
  stop: readonly string[],
): { readonly text: string; readonly end: number } | undefined {
  let best: { text: string; end: number } | undefined
  for (const each of stop) {
    const at = text.indexOf(each, Math.max(0, text.length - fresh - each.length + 1))
    if (at < 0) continue
    const end = at + each.length
    if (best === undefined || end < best.end) best = { text: each, end }
  }
  return best
}

function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff
const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
