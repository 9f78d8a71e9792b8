import { formatQuantity } from '../../kube/quantity.ts'
import type { Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { MetricsApis } from '../adapter/metrics-client.ts'

/** What answering needs. */
export interface ApiContext {
  readonly world: World
  readonly apis: MetricsApis
  /** The world's time 0 as Unix milliseconds. */
  readonly zeroMs: number
}

/** A request as the aggregator hands it on: the parts of the path behind group and version. */
export interface ApiRequest {
  readonly version: string
  readonly parts: readonly string[]
  readonly query: URLSearchParams
}

/** metav1.Time of a time of the world: whole seconds. */
export const timeOf = (at: Us, { zeroMs }: ApiContext): string =>
  `${new Date(zeroMs + Math.floor(at / 1e6) * 1e3).toISOString().slice(0, 19)}Z`

/** metav1.Duration, as Go writes it. */
export function durationOf(us: Us): string {
  const total = us / 1e6
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)]
  const rest = `${Number((total % 60).toFixed(6))}s`
  if (hours > 0) return `${hours}h${minutes}m${rest}`
  return minutes > 0 ? `${minutes}m${rest}` : rest
}

/** A quantity of so many thousandths. */
export const milliQuantity = (milli: number): string =>
  formatQuantity({ nanos: BigInt(Math.trunc(milli)) * 1_000_000n, format: 'DecimalSI' })
