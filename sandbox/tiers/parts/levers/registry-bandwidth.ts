import type { Levers } from '../../tier.ts'
import type { SandboxParts } from '../parts.ts'

export const registryBandwidth =
  ({ registry }: SandboxParts): NonNullable<Levers['registry.bandwidth']> =>
  (factor) => {
    registry.setBandwidthFactor(factor)
    return () => registry.setBandwidthFactor(1)
  }
