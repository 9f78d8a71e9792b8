import type { Clock, Timer } from '../../world/clock.ts'
import { EPOCH_MS, toSeconds, type Us } from '../../world/time.ts'
import type { Appender } from './appender.ts'
import type { ScrapeAnswer, ScrapeNetwork } from './network.ts'
import { SampleCache } from './sample-cache.ts'
import { offsetOf, type Target } from './target.ts'

export interface ScrapeLoopOptions {
  readonly clock: Clock
  readonly target: Target
  readonly network: ScrapeNetwork
  readonly appender: Appender
  /** Names somebody asks for; undefined: all are stored. */
  readonly wanted: ReadonlySet<string> | undefined
  readonly offsetSeed: bigint
  readonly faults: ScrapeFaults
}

/** What stands between a Prometheus and a target now. */
export interface ScrapeFaults {
  /** The target's answers do not come through. */
  broken(target: Target): boolean
  /** Which of its series are left out of what it exposes; undefined: none. */
  hidden(target: Target): ((metric: string) => boolean) | undefined
}

const REPORTS = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
] as const

/** Scrapes one target for as long as it is one. Samples have the time at which their scrape began. */
// follows scrapeLoop of prometheus/scrape/scrape.go
export class ScrapeLoop {
  readonly target: Target
  private readonly options: ScrapeLoopOptions
  private readonly cache: SampleCache
  private readonly asked: ReadonlySet<string> | undefined
  private readonly reports: readonly (readonly [index: number, ref: number])[]
  private readonly timers = new Set<Timer>()
  private nextAt: Us
  private scraped = false
  private stopped = false

  constructor(options: ScrapeLoopOptions) {
    const { target, appender, wanted } = options
    this.options = options
    this.target = target
    this.cache = new SampleCache(target, appender, wanted)
    const renames = target.config.metricRelabel.some(
      (r) => r.targetLabel.includes('__name__') || r.action === 'labelmap',
    )
    // counts of samples are only right when all are there
    const counted = wanted?.has('scrape_samples_scraped') || target.config.sampleLimit > 0
    this.asked = renames || counted ? undefined : wanted
    this.reports = REPORTS.flatMap((name, i) =>
      wanted && !wanted.has(name) ? [] : [[i, appender.series({ __name__: name, ...target.labels })] as const],
    )
    this.nextAt = firstAt(options)
    this.arm(this.nextAt, () => this.tick())
  }

  /** The target is one no longer. Its series are marked stale when it has not come back in a little over two intervals. */
  stop(): void {
    this.stopped = true
    if (!this.scraped) return
    const { intervalUs } = this.target
    const staleAt = this.nextAt
    this.arm(staleAt + intervalUs + Math.round(intervalUs / 10), () => {
      this.cache.markAll(staleAt)
      for (const [, ref] of this.reports) this.options.appender.markStale(ref, staleAt)
    })
  }

  /** Prometheus itself is gone: nothing more is written. */
  kill(): void {
    this.stopped = true
    for (const timer of this.timers) timer.cancel()
    this.timers.clear()
  }

  private tick(): void {
    if (this.stopped) return
    const { faults, network } = this.options
    const { target } = this
    const at = this.nextAt
    this.nextAt = at + target.intervalUs
    this.arm(this.nextAt, () => this.tick())
    const { address, path, scheme, timeoutUs } = target
    const answer: ScrapeAnswer = faults.broken(target)
      ? { kind: 'hang' }
      : network.get({ address, path, scheme, wanted: this.asked })
    const afterUs = answer.kind === 'hang' ? timeoutUs : Math.min(answer.afterUs, timeoutUs)
    const late = answer.kind === 'hang' || answer.afterUs > timeoutUs
    this.arm(at + afterUs, () => this.finish(at, afterUs, late ? undefined : answer))
  }

  private finish(at: Us, tookUs: Us, answer: ScrapeAnswer | undefined): void {
    if (this.stopped) return
    this.scraped = true
    const { sampleLimit } = this.target.config
    const hidden = this.options.faults.hidden(this.target)
    if (answer?.kind !== 'families') {
      this.cache.markAll(at)
      this.report(at, [0, toSeconds(tookUs), 0, 0, 0])
      return
    }
    if (sampleLimit > 0 && answer.families.reduce((sum, f) => sum + f.samples.length, 0) > sampleLimit) {
      this.cache.markAll(at)
      this.report(at, [0, toSeconds(tookUs), sampleLimit + 1, sampleLimit + 1, 0])
      return
    }
    const { scraped, kept, added } = this.cache.write(answer.families, at, hidden)
    this.report(at, [1, toSeconds(tookUs), scraped, kept, added])
  }

  private report(at: Us, values: readonly number[]): void {
    for (const [i, ref] of this.reports) this.options.appender.append(ref, at, values[i]!)
  }

  private arm(at: Us, then: () => void): void {
    const timer = this.options.clock.at(at, () => {
      this.timers.delete(timer)
      then()
    })
    this.timers.add(timer)
  }
}

/** The first time from now on at the target's place within its interval, counted from the Unix epoch. */
function firstAt({ clock, target, offsetSeed }: ScrapeLoopOptions): Us {
  const { intervalUs } = target
  const unixUs = EPOCH_MS * 1e3 + clock.now
  const into = unixUs % intervalUs
  const offset = offsetOf(target, offsetSeed)
  return clock.now + (offset >= into ? offset - into : intervalUs - into + offset)
}
