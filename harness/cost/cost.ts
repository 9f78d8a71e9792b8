import type { RequestRecord } from '../../sandbox/journal/record.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { GpuPrice, GpuPrices } from './prices.ts'

/** What a trial's GPUs cost from the time its platform had settled, and how much of them was of use. */
export interface Cost {
  readonly currency: 'USD'
  readonly gpuHours: {
    /** On nodes that exist, also idle ones. */
    readonly existing: number
    /** Held by any pod. */
    readonly allocated: number
    /** Held by the subject's pods. */
    readonly subject: number
    /** Of these, while their server had a request. */
    readonly busy: number
  }
  /** Dollars an hour, on average: of all nodes, and of the GPUs the subject's pods hold. */
  readonly perHour: number
  readonly subjectPerHour: number
  /** Dollars of the subject's GPUs by what it generated; undefined where it generated nothing. */
  readonly perThousandTokens?: number
  /** Share of the subject's GPU time without a request. */
  readonly idle: number
  /** Share of all GPU time that no pod held. */
  readonly unallocated: number
  readonly prices: Readonly<Record<string, GpuPrice>>
  /** Products nobody gave a price of: they are left out of the dollars. */
  readonly unpriced: readonly string[]
}

/** GPU time of one product. */
export interface GpuTime {
  existingUs: number
  allocatedUs: number
  subjectUs: number
}

const HOUR_US = 3600e6

export function costOf(options: {
  readonly durationUs: Us
  readonly times: ReadonlyMap<string, GpuTime>
  readonly busyUs: number
  readonly outputTokens: number
  readonly prices: GpuPrices
}): Cost {
  const { durationUs, times, busyUs, outputTokens, prices } = options
  const products = [...times.keys()].sort()
  const total = (field: keyof GpuTime) => products.reduce((sum, product) => sum + times.get(product)![field], 0)
  const dollars = (field: keyof GpuTime) =>
    products.reduce((sum, product) => sum + (times.get(product)![field] / HOUR_US) * (prices[product]?.perHour ?? 0), 0)
  const [existing, subject] = [total('existingUs'), total('subjectUs')]
  const hours = durationUs / HOUR_US
  const unpriced = products.filter((product) => !prices[product])
  return {
    currency: 'USD',
    gpuHours: {
      existing: existing / HOUR_US,
      allocated: total('allocatedUs') / HOUR_US,
      subject: subject / HOUR_US,
      busy: Math.min(busyUs, subject) / HOUR_US,
    },
    perHour: dollars('existingUs') / hours,
    subjectPerHour: dollars('subjectUs') / hours,
    ...(outputTokens > 0 && unpriced.length === 0
      ? { perThousandTokens: dollars('subjectUs') / (outputTokens / 1000) }
      : {}),
    idle: subject === 0 ? 0 : 1 - Math.min(1, busyUs / subject),
    unallocated: existing === 0 ? 0 : Math.max(0, 1 - total('allocatedUs') / existing),
    prices: Object.fromEntries(products.flatMap((product) => (prices[product] ? [[product, prices[product]]] : []))),
    unpriced,
  }
}

/**
 * Time in which servers had a request, summed over pods: the union of their requests' times between `fromUs` and `untilUs`. The requests
 * are in the order in which they ended.
 */
export function busyTime(requests: readonly RequestRecord[], fromUs: Us, untilUs: Us): Us {
  /** From when on a pod's time is counted: backwards, so that what is counted up to a request's end has no gap before its beginning. */
  const counted = new Map<string, Us>()
  let total = 0
  for (let i = requests.length - 1; i >= 0; i--) {
    const { pod, intendedAt, at } = requests[i]!
    if (pod === undefined) continue
    const from = Math.max(fromUs, intendedAt)
    const until = Math.min(untilUs, at, counted.get(pod) ?? Number.POSITIVE_INFINITY)
    if (until <= from) continue
    total += until - from
    counted.set(pod, from)
  }
  return total
}

/** One line for people: `cost 55.04 $/h of 220.16 · 0.42 $/1k tokens · 37 % idle · 75 % of GPUs unallocated (list prices)`. */
export function costText(cost: Cost): string {
  const { perHour, subjectPerHour, perThousandTokens, idle, unallocated, prices, unpriced } = cost
  const isAssumed = Object.values(prices).some(({ origin }) => origin === 'assumed')
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const parts = [
    ...(unpriced.length > 0
      ? [`unknown: no price of ${unpriced.join(', ')} (give prices in seatrial.yaml)`]
      : [`${subjectPerHour.toFixed(2)} $/h${perHour > subjectPerHour * 1.001 ? ` of ${perHour.toFixed(2)}` : ''}`]),
    ...(perThousandTokens === undefined ? [] : [`${Number(perThousandTokens.toPrecision(2))} $/1k output tokens`]),
    `${percent(idle)} idle`,
    ...(unallocated >= 0.005 ? [`${percent(unallocated)} of GPUs unallocated`] : []),
  ]
  return `cost ${parts.join(' · ')}${isAssumed && unpriced.length === 0 ? ' (list prices assumed)' : ''}`
}
