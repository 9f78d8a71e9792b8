import type { Levers } from '../../tier.ts'
import type { SandboxParts } from '../parts.ts'

export const cloudCapacity =
  ({ soldOut }: SandboxParts): NonNullable<Levers['cloud.capacity']> =>
  (offering) => {
    soldOut.add(offering)
    return () => soldOut.delete(offering)
  }
