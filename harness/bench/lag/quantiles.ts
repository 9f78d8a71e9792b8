/** The probabilities of the tables. The last stands for 1: what lies beyond it is cut off. */
export const PROBABILITIES = [0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999] as const

/** The quantiles of samples at PROBABILITIES, in the samples' unit. Fails on no samples. */
export function quantilesOf(samples: readonly number[]): number[] {
  if (samples.length === 0) throw new RangeError('no samples to take quantiles of')
  const sorted = [...samples].sort((a, b) => a - b)
  return PROBABILITIES.map((p) => {
    const at = p * (sorted.length - 1)
    const low = Math.floor(at)
    const high = Math.ceil(at)
    return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!)
  })
}

/** Element by element the median of several tables: one round on a busy machine does not decide. */
export function medianTable(tables: readonly (readonly number[])[]): number[] {
  return PROBABILITIES.map((_, i) => median(tables.map((table) => table[i]!)))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
