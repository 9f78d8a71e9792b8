import type { LoadRecord, SendingLoad } from '../../harness/load/http/sender.ts'
import { Distribution } from '../../harness/load/results/percentiles.ts'
import { latencyText } from '../../harness/slo/evidence.ts'
import { formatDuration, seconds, type Us } from '../../sandbox/world/time.ts'

/** How a load goes, on stderr: one line that is written anew on a terminal, a line each ten seconds elsewhere. */
export class LoadProgress {
  private readonly live = process.stderr.isTTY === true
  private readonly untilUs: Us
  private readonly ttft = new Distribution()
  private ok = 0
  private bad = 0
  private timer: NodeJS.Timeout | undefined

  constructor(untilUs: Us) {
    this.untilUs = untilUs
  }

  add(record: LoadRecord): void {
    if (record.ended === 'ok') this.ok++
    else this.bad++
    if (record.ttftUs !== undefined) this.ttft.add(record.ttftUs)
  }

  begin(load: SendingLoad): void {
    const every = this.live ? 500 : 10_000
    this.timer = setInterval(() => this.show(this.line(load)), every)
  }

  end(): void {
    clearInterval(this.timer)
    if (this.live) process.stderr.write('\r\x1b[K')
  }

  private line(load: SendingLoad): string {
    const now = Math.max(0, load.now())
    const until = formatDuration(this.untilUs)
    const when =
      now > this.untilUs + seconds(1) ? `waiting for answers, ${until} sent` : `${formatDuration(now)} of ${until}`
    const { count } = this.ttft
    const ttft = count === 0 ? '' : ` · TTFT p50 ${latencyText(this.ttft.at(50))} p95 ${latencyText(this.ttft.at(95))}`
    return `${when} · ${load.sent()} sent · ${load.open()} open · ${this.ok} ok${this.bad ? ` · ${this.bad} not` : ''}${ttft}`
  }

  private show(line: string): void {
    if (this.live) process.stderr.write(`\r\x1b[K   ${line}`.slice(0, (process.stderr.columns ?? 80) + 3))
    else process.stderr.write(`${line}\n`)
  }
}
