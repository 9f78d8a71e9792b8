import type { Us } from '../../sandbox/world/time.ts'
import type { Read } from './read.ts'
import type { Decision } from './stream.ts'

/** A decision at the time of a trial's phases: of another trial, where it is to be compared with that. */
export interface Placed extends Decision {
  readonly phase: string
  /** Since the phase began. */
  readonly intoUs: Us
}

/** A stream's decisions with their phases, at the times they would have if each phase had begun when it did in `as`. */
export function placed(read: Read, stream: string, as: Read['phases'] = read.phases): Placed[] {
  const starts = [...read.phases].filter(([phase]) => as.has(phase))
  return (read.decisions.get(stream) ?? []).map((decision) => {
    const [phase, start] = starts.findLast(([, begun]) => begun <= decision.at) ?? ['', 0]
    const intoUs = decision.at - start
    return { ...decision, phase, intoUs, at: (as.get(phase) ?? 0) + intoUs }
  })
}
