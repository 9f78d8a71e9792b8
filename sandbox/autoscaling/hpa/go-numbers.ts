// Upstream counts in int32 and int64 and divides in float64: here is what its conversions do on amd64.

const MIN_INT32 = -(2 ** 31)
const MIN_INT64 = -(2n ** 63n)
export const MAX_INT32 = 2 ** 31 - 1
export const MAX_INT64 = 2n ** 63n - 1n

/** `int32(x)` of a float64: towards zero; what does not fit, NaN too, becomes the least int32. */
export function int32(x: number): number {
  const whole = Math.trunc(x)
  return whole >= MIN_INT32 && whole <= MAX_INT32 ? whole + 0 : MIN_INT32
}

/** `int64(x)` of a float64. */
export function int64(x: number): bigint {
  const whole = Math.trunc(x)
  return whole >= -(2 ** 63) && whole < 2 ** 63 ? BigInt(whole) : MIN_INT64
}

/** `int32(x)` of an int64: its lower half. */
export const lowInt32 = (x: bigint): number => Number(BigInt.asIntN(32, x))

/** The int64 sum of whole numbers. */
export function sum(values: Iterable<number>): bigint {
  let total = 0n
  let part = 0
  for (const value of values) {
    const next = part + value
    if (Number.isSafeInteger(next)) part = next
    else {
      total += BigInt(part)
      part = value
    }
  }
  return BigInt.asIntN(64, total + BigInt(part))
}
