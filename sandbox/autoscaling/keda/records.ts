import type { Observation } from './fallback.ts'

/**
 * What was observed of each metric, from the side that asks the triggers to the side that does not: from the scale loop to the HPA
 * (`useCachedMetrics`), or from the HPA to the scale loop where polling does not matter.
 */
// follows pkg/scaling/cache/metricscache/metrics_record.go
export class MetricRecords {
  private readonly records = new Map<string, Map<string, Observation>>()

  read(key: string, metric: string): Observation | undefined {
    return this.records.get(key)?.get(metric)
  }

  /** Replaces all records of an object. */
  replace(key: string, records: ReadonlyMap<string, Observation>): void {
    this.records.set(key, new Map(records))
  }

  /** Sets one record beside the others. */
  store(key: string, metric: string, record: Observation): void {
    const known = this.records.get(key)
    if (known) known.set(metric, record)
    else this.records.set(key, new Map([[metric, record]]))
  }

  delete(key: string): void {
    this.records.delete(key)
  }
}
