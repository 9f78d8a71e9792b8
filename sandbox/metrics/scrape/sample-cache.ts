import type { Us } from '../../world/time.ts'
import type { Labels } from '../querier.ts'
import type { MetricFamily, Sample } from '../sample.ts'
import type { Appender } from './appender.ts'
import { relabel } from './relabel.ts'
import type { Target } from './target.ts'

/** A series of one target. */
interface Entry {
  /** -1: dropped by relabelling, or nobody wants it. */
  readonly ref: number
  /** The scrape that had it last. */
  seen: number
}

interface Slot {
  readonly name: string
  readonly labels: Sample['labels']
  readonly entry: Entry
}

export interface Written {
  /** Samples exposed, and those left after relabelling. */
  readonly scraped: number
  readonly kept: number
  readonly added: number
}

/**
 * Writes the samples of one target. What stands at its old place with its old labels costs no lookup; what is new or moved is found
 * by its text. A series the scrape no longer has is marked stale.
 */
// follows scrapeCache and scrapeLoop.append of prometheus/scrape/scrape.go
export class SampleCache {
  private readonly target: Target
  private readonly appender: Appender
  private readonly wanted: ReadonlySet<string> | undefined
  private readonly entries = new Map<string, Entry>()
  private slots: (Slot | undefined)[] = []
  private scrape = 0
  private live = 0

  constructor(target: Target, appender: Appender, wanted: ReadonlySet<string> | undefined) {
    this.target = target
    this.appender = appender
    this.wanted = wanted
  }

  write(families: readonly MetricFamily[], at: Us, hidden?: (metric: string) => boolean): Written {
    const { honorTimestamps, trackTimestampsStaleness } = this.target.config
    const scrape = ++this.scrape
    let position = 0
    let scraped = 0
    let kept = 0
    let added = 0
    let seen = 0
    for (const { samples } of families) {
      for (const sample of samples) {
        if (hidden?.(sample.name)) continue
        scraped++
        const entry = this.entryAt(position++, sample)
        if (entry.ref < 0) continue
        kept++
        if (entry.seen === 0) added++
        const own = honorTimestamps ? sample.at : undefined
        this.appender.append(entry.ref, own ?? at, sample.value)
        // a series that brings its own times is not marked stale, unless asked for
        if (own !== undefined && !trackTimestampsStaleness) continue
        if (entry.seen !== scrape) seen++
        entry.seen = scrape
      }
    }
    if (seen < this.live) this.markMissing(scrape, at)
    this.live = seen
    return { scraped, kept, added }
  }

  /** All series are gone. */
  markAll(at: Us): void {
    this.markMissing(++this.scrape, at)
    this.live = 0
  }

  private markMissing(scrape: number, at: Us): void {
    for (const [key, entry] of this.entries) {
      if (entry.seen === scrape || entry.seen === 0) continue
      this.appender.markStale(entry.ref, at)
      this.entries.delete(key)
    }
    this.slots = []
  }

  private entryAt(position: number, sample: Sample): Entry {
    const slot = this.slots[position]
    if (slot && slot.labels === sample.labels && slot.name === sample.name) return slot.entry
    const key = `${sample.name}\u0000${sample.labels.map(([k, v]) => `${k}\u0001${v}`).join('\u0000')}`
    let entry = this.entries.get(key)
    if (!entry) {
      entry = { ref: this.refOf(sample), seen: 0 }
      this.entries.set(key, entry)
    }
    this.slots[position] = { name: sample.name, labels: sample.labels, entry }
    return entry
  }

  private refOf(sample: Sample): number {
    const { config, labels: own } = this.target
    if (config.metricRelabel.length === 0 && this.wanted && !this.wanted.has(sample.name)) return -1
    const labels = withTarget(sample, own, config.honorLabels)
    if (!relabel(labels, config.metricRelabel)) return -1
    const name = labels.get('__name__')
    if (name === undefined || (this.wanted && !this.wanted.has(name))) return -1
    return this.appender.series(sortedRecord(labels))
  }
}

/** A sample's labels beside its target's: the target's win unless `honor_labels`, and what they replace becomes `exported_…`. */
// follows mutateSampleLabels of prometheus/scrape/scrape.go
function withTarget(sample: Sample, own: Labels, honor: boolean): Map<string, string> {
  const labels = new Map<string, string>([['__name__', sample.name]])
  for (const [name, value] of sample.labels) if (value !== '') labels.set(name, value)
  const replaced: [string, string][] = []
  for (const [name, value] of Object.entries(own)) {
    const exposed = labels.get(name)
    if (honor && exposed !== undefined) continue
    if (exposed !== undefined) replaced.push([name, exposed])
    labels.set(name, value)
  }
  replaced.sort(([a], [b]) => a.length - b.length)
  for (const [name, value] of replaced) {
    let exported = `exported_${name}`
    while (labels.has(exported)) exported = `exported_${exported}`
    labels.set(exported, value)
  }
  return labels
}

const sortedRecord = (labels: ReadonlyMap<string, string>): Labels =>
  Object.fromEntries([...labels].sort(([a], [b]) => (a < b ? -1 : 1)))
