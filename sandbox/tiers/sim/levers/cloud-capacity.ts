import type { Levers } from '../../tier.ts'
import type { SimParts } from '../parts.ts'

export const cloudCapacity =
  ({ soldOut }: SimParts): NonNullable<Levers['cloud.capacity']> =>
  (offering) => {
    soldOut.add(offering)
    return () => soldOut.delete(offering)
  }
