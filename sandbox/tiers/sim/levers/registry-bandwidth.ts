import type { Levers } from '../../tier.ts'
import type { SimParts } from '../parts.ts'

export const registryBandwidth =
  ({ registry }: SimParts): NonNullable<Levers['registry.bandwidth']> =>
  (factor) => {
    registry.setBandwidthFactor(factor)
    return () => registry.setBandwidthFactor(1)
  }
