import { formatQuantity, parseQuantity } from '../../kube/quantity.ts'

/** One value of an external metric, in thousandths as KEDA sends it. */
export interface ExternalValue {
  readonly metric: string
  readonly milli: number
}

/** A value in whole thousandths; what is negative or no number is 0. Follows pkg/scalers/scaler.go quantityFromFloat64. */
export function milliOf(value: number): number {
  if (!Number.isFinite(value) || value < 0) return 0
  const scaled = value * 1000
  // exact halves are the odd sixteenths; Go's %.3f rounds them to even
  if (Number.isInteger(value * 16) && (value * 16) % 2 !== 0) return 2 * Math.round(scaled / 2)
  return value < 1e15 ? Number(value.toFixed(3).replace('.', '')) : scaled
}

/** The value as a float, as Quantity's AsApproximateFloat64 gives it. */
export const floatOf = (milli: number): number => milli * 1e-3

/** Go's conversion of a float to int64 on amd64: cut off, and the least number for what does not fit. */
export const int64Of = (value: number): number => (Math.abs(value) < 2 ** 63 ? Math.trunc(value) : -(2 ** 63))

/** As a Quantity is written that counts thousandths: `5`, `100500m`. */
export const quantityOfMilli = (milli: number): string =>
  formatQuantity({ nanos: BigInt(Math.round(milli)) * 1_000_000n, format: 'DecimalSI' })

/** As a Quantity is written that is read from a number with three places, which it may keep: `5`, `100.500`. */
export function quantityOfPlaces(milli: number): string {
  const digits = String(Math.round(milli)).padStart(4, '0')
  return formatQuantity(parseQuantity(`${digits.slice(0, -3)}.${digits.slice(-3)}`))
}
