import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import type { NodeGroup } from '../../../sandbox/tiers/tier.ts'
import { type GpuPrices, listPrice } from '../../cost/prices.ts'
import type { SeatrialConfig } from '../config/config.ts'
import { assumed, declaredInput, type Input } from './input.ts'

/** What committed use, spot and smaller clouds ask, as a share of a list price. */
const BELOW_LIST = 0.3

/** Dollars an hour of each product on the nodes: given, or a cloud's list price. A product without either is absent. */
export function priceInputs(
  config: SeatrialConfig | undefined,
  nodes: readonly NodeGroup[],
  gpus: readonly GpuSpec[],
): Record<string, Input<number>> {
  const products = [...new Set(nodes.flatMap(({ gpu }) => gpu?.product ?? []))]
  return Object.fromEntries(
    products.flatMap((product) => {
      const id = gpus.find((gpu) => gpu.product === product)?.id
      const key = [product, id].find((name) => name !== undefined && config?.prices?.[name])
      if (config && key !== undefined) return [[product, declaredInput(config, ['prices', key], config.prices![key]!)]]
      const list = listPrice(product)
      if (!list) return []
      const { perHour, note } = list
      return [
        [product, assumed(perHour, [BELOW_LIST * perHour, perHour], `${note}: give prices["${id}"] in seatrial.yaml`)],
      ]
    }),
  )
}

export const pricesOf = (inputs: Readonly<Record<string, Input<number>>>): GpuPrices =>
  Object.fromEntries(
    Object.entries(inputs).map(([product, { value, origin, note }]) => [product, { perHour: value, origin, note }]),
  )
