import type { Us } from '../../world/time.ts'
import type { Labels } from '../querier.ts'

/** Where scraped samples go: a `Tsdb`. A sample that is not newer than the last of its series is dropped. */
export interface Appender {
  /** The series with these labels (`__name__` among them), made when there is none. */
  series(labels: Labels): number
  append(series: number, at: Us, value: number): unknown
  /** The series has no value from `at` on, until it gets a sample again. */
  markStale(series: number, at: Us): unknown
}
