import type { ParityCase, ParityEvents, ParityOptions, ParitySide, Prepared } from '../harness/parity/trials.ts'
import { expectedTotalUs } from '../harness/parity/trials.ts'
import { formatDuration, type Us } from '../sandbox/world/time.ts'

/** Says on stderr how far trials are: one line that is written over on a terminal, else a line for each begin. */
export class ParityProgress {
  readonly events: ParityEvents
  private readonly say: (line: string) => void
  private readonly running = new Map<ParityCase, { readonly side: string; readonly since: number }>()
  private lengths = new Map<ParityCase, Us>()
  private ended = 0
  private jobs = 1
  private timer: NodeJS.Timeout | undefined

  constructor(say: (line: string) => void) {
    this.say = say
    this.events = {
      began: (of, side) => this.began(of, side),
      ended: (of) => void this.running.delete(of),
    }
  }

  prepared(done: number, all: number, sides: readonly ParitySide[]): void {
    const quick = sides.filter(({ virtual }) => virtual).map(({ label }) => label)
    if (process.stderr.isTTY && quick.length > 0) this.over(`${quick.join(' and ')}: ${done} of ${all}`)
  }

  start(prepared: readonly Prepared[], { sides, jobs }: ParityOptions): void {
    this.jobs = jobs
    this.clear()
    if (sides.every(({ virtual }) => virtual)) return
    this.lengths = new Map(prepared.map(({ of, expectedUs }) => [of, expectedUs]))
    if (process.stderr.isTTY) this.timer = setInterval(() => this.show(), 1000)
  }

  /** One case is compared: its lines come next. */
  done(): void {
    this.ended++
    this.clear()
  }

  stop(): void {
    clearInterval(this.timer)
    this.clear()
  }

  private began(of: ParityCase, { label }: ParitySide): void {
    this.running.set(of, { side: label, since: performance.now() })
    if (process.stderr.isTTY) return
    const length = this.lengths.get(of)
    this.say(`${label}: ${of.scenario.slug} ${of.sample} begins${length ? `, about ${formatDuration(length)}` : ''}`)
  }

  private show(): void {
    const elapsed = (since: number) => Math.round((performance.now() - since) * 1e3)
    const left = [...this.running].map(([of, { since }]) => Math.max(0, (this.lengths.get(of) ?? 0) - elapsed(since)))
    const names = [...this.running].map(([of, { since }]) => `${of.scenario.slug} ${formatDuration(elapsed(since))}`)
    const waiting = [...this.lengths.values()].sort((a, b) => b - a).slice(this.ended + this.running.size)
    const total = formatDuration(expectedTotalUs([...left, ...waiting], this.jobs))
    this.over(`${this.ended} of ${this.lengths.size} done, about ${total} left · ${names.join(' · ')}`)
  }

  private over(text: string): void {
    process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  }

  private clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  }
}
