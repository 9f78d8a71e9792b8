import { LabelSet } from '../../tsdb/label-set.ts'
import { type Answer, fromGoFloat } from './case.ts'

export type Outcome = 'equal' | 'rounding' | 'refused' | 'different'

/** What of a difference transcendental functions of two libraries, or another order of summation, may make. */
const ROUNDING = 1e-12

/**
 * How our answer relates to Prometheus'. `rounding`: values differ by what two libraries' exp and log do; `refused`: by name. The order
 * of elements counts only where the expression sorts.
 */
export function compare(expr: string, ours: Answer, real: Answer): Outcome {
  if (ours.refused) return 'refused'
  if (ours.error !== undefined || real.error !== undefined) return same(settled(ours.error) === settled(real.error))
  if (ours.type !== real.type) return 'different'
  if (ours.type !== 'vector')
    return ours.type === 'string' ? same(ours.value === (real.value ?? '')) : values(ours.value!, real.value!)
  const [a, b] = [sorted(ours), sorted(real)]
  if (a.length !== b.length || a.some(({ key }, i) => key !== b[i]!.key)) return 'different'
  const outcomes = a.map(({ value }, i) => values(value, b[i]!.value))
  if (/^(sort|sort_desc|topk|bottomk)\b/.test(expr) && !/\b(by|without)\b/.test(expr))
    outcomes.push(...(ours.samples ?? []).map(({ value }, i) => values(value, real.samples![i]!.value)))
  return outcomes.includes('different') ? 'different' : outcomes.includes('rounding') ? 'rounding' : 'equal'
}

/** An error without the series it takes as examples: which ones, is open. */
const settled = (error: string | undefined): string | undefined =>
  error?.replace(/match group \{.*?\} on|operation: \[.*\];/g, '…')

const same = (equal: boolean): Outcome => (equal ? 'equal' : 'different')

function sorted({ samples = [] }: Answer): { key: string; value: string }[] {
  return samples
    .map(({ labels, value }) => ({ key: LabelSet.of(labels).key, value }))
    .sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : 0))
}

function values(ours: string, real: string): Outcome {
  const [a, b] = [fromGoFloat(ours), fromGoFloat(real)]
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 'equal'
  return Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b)) ? 'rounding' : 'different'
}
