import type { Clock, Timer } from '../../../world/clock.ts'
import { seconds as toUs, type Us } from '../../../world/time.ts'
import type { StreamedAnswer } from '../http.ts'

/** A stream of which the client may leave. */
export interface LeavableStream extends StreamedAnswer {
  /** Nothing more goes out. */
  left(): void
}

/** A stream that says something whenever `seconds` have passed without a chunk. None, or none above 0: never. */
// follows vllm/entrypoints/serve/utils/sse_keep_alive.py
export const keptAlive = (out: StreamedAnswer, clock: Clock, seconds: number | undefined): LeavableStream =>
  seconds !== undefined && seconds > 0 && Number.isFinite(seconds)
    ? new KeptAlive(out, clock, toUs(seconds))
    : { write: (chunk) => out.write(chunk), end: () => out.end(), cut: () => out.cut(), left: () => undefined }

const COMMENT = ': keep-alive\n\n'

/** One timer, set anew when it rings: chunks only note the time. */
class KeptAlive implements LeavableStream {
  private readonly out: StreamedAnswer
  private readonly clock: Clock
  private readonly interval: Us
  private last: Us
  private timer: Timer

  constructor(out: StreamedAnswer, clock: Clock, interval: Us) {
    this.out = out
    this.clock = clock
    this.interval = interval
    this.last = clock.now
    this.timer = this.next()
  }

  write(chunk: string | Uint8Array): void {
    this.last = this.clock.now
    this.out.write(chunk)
  }

  end(): void {
    this.timer.cancel()
    this.out.end()
  }

  cut(): void {
    this.timer.cancel()
    this.out.cut()
  }

  left(): void {
    this.timer.cancel()
  }

  private next(): Timer {
    return this.clock.at(this.last + this.interval, () => {
      if (this.clock.now >= this.last + this.interval) this.write(COMMENT)
      this.timer = this.next()
    })
  }
}
