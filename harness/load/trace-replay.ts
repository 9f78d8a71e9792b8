import type { Us } from '../../sandbox/world/time.ts'
import type { LengthDistribution } from './lengths.ts'
import { readTrace, type TraceFormat, type TraceRow } from './trace.ts'
import { badTrace, digestOf } from './trace-lines.ts'
import type { TraceUse } from './workload.ts'

/** The chosen part of a trace at its own speed; `at` counts from the part's begin and goes on where it loops. */
export function* replay({ file, format, fromUs, untilUs, loop }: TraceUse): Generator<TraceRow, void> {
  for (let offset = -fromUs; ; offset += untilUs - fromUs) {
    let any = false
    for (const row of readTrace(file, format)) {
      if (row.at < fromUs) continue
      if (row.at >= untilUs) break
      any = true
      yield { ...row, at: row.at + offset }
    }
    if (!loop || !any) return
  }
}

/** A trace as it is going to be replayed, and what it is like. */
export interface TraceSummary {
  readonly use: TraceUse
  readonly requests: number
  readonly promptTokens: LengthDistribution
  readonly outputTokens: LengthDistribution
}

/** Reads a trace once from begin to end. Throws a PlatformError at what cannot be read, and where nothing is left of it. */
export function openTrace(
  file: string,
  options: { format: TraceFormat; fromUs?: Us; forUs?: Us; loop?: boolean },
): TraceSummary {
  const { format, fromUs = 0, forUs = Number.POSITIVE_INFINITY, loop = false } = options
  const [prompts, outputs] = [new Lengths(), new Lengths()]
  let requests = 0
  let last = 0
  for (const { at, promptTokens, outputTokens } of readTrace(file, format)) {
    if (at < fromUs || at >= fromUs + forUs) continue
    requests++
    last = at
    prompts.add(promptTokens)
    outputs.add(outputTokens)
  }
  if (requests < 2)
    throw badTrace(`${requests} requests in the chosen part of the trace`, { file }, 'Choose another part of it.')
  // a loop's seam is a gap like the others
  const end = Number.isFinite(forUs) ? fromUs + forUs : last + Math.max(1, Math.round((last - fromUs) / (requests - 1)))
  return {
    use: {
      file,
      digest: digestOf(file),
      format,
      requestsPerSecond: requests / ((end - fromUs) / 1e6),
      fromUs,
      untilUs: end,
      loop,
    },
    requests,
    promptTokens: prompts.distribution(),
    outputTokens: outputs.distribution(),
  }
}

/** Counts lengths to 1 %, so that a long trace needs no more room than a short one. */
class Lengths {
  private readonly counts = new Map<number, number>()
  private sum = 0
  private n = 0

  add(tokens: number): void {
    const bucket = Math.round(Math.log(tokens) * 100)
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + 1)
    this.sum += tokens
    this.n++
  }

  /** A lognormal of the same mean and 95th percentile; constant where they are one. */
  distribution(): LengthDistribution {
    const meanTokens = Math.round(this.sum / this.n)
    let seen = 0
    for (const [bucket, count] of [...this.counts].sort(([a], [b]) => a - b)) {
      seen += count
      if (seen < 0.95 * this.n) continue
      const p95Tokens = Math.round(Math.exp(bucket / 100))
      if (p95Tokens > meanTokens) return { kind: 'lognormal', meanTokens, p95Tokens }
      break
    }
    return { kind: 'constant', tokens: meanTokens }
  }
}
