import type { QueryValue } from '../querier.ts'
import { LabelSet } from '../tsdb/label-set.ts'
import { elementsOf, type Written } from './alerting.ts'
import type { RecordingRule } from './rule.ts'

/** What a recording rule writes of its expression's result. Throws when two elements become one. Follows rules/recording.go. */
export function record(rule: RecordingRule, result: QueryValue, limit: number): Written[] {
  const written = elementsOf(result).map(({ labels, value }) => ({
    labels: LabelSet.of({ ...labels, __name__: rule.record, ...rule.labels }),
    value,
  }))
  if (new Set(written.map(({ labels }) => labels.key)).size < written.length)
    throw new Error('vector contains metrics with the same labelset after applying rule labels')
  if (limit > 0 && written.length > limit) throw new Error(`exceeded limit of ${limit} with ${written.length} series`)
  return written
}
