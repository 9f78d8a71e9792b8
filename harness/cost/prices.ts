import { gpuByProduct } from '../../fixtures/gpus/lookup.ts'

/** What an hour of one GPU costs, in US dollars. */
export interface GpuPrice {
  readonly perHour: number
  readonly origin: 'given' | 'measured' | 'assumed'
  /** Where it comes from. */
  readonly note: string
}

/** By product, as nodes are labelled with it. */
export type GpuPrices = Readonly<Record<string, GpuPrice>>

/** A cloud's list price of a GPU, where one is known. */
export function listPrice(product: string): GpuPrice | undefined {
  const gpu = gpuByProduct(product)
  if (gpu?.pricePerHour === undefined) return undefined
  const from = /price: (.*)$/.exec(gpu.source)?.[1] ?? gpu.source
  return { perHour: gpu.pricePerHour, origin: 'assumed', note: `list price (${from})` }
}
