import type { StructuredOutputs } from '../../generation.ts'
import { Chance } from './chance.ts'
import { constraintOf } from './constraint.ts'

/**
 * A text that a constraint allows: one that fits `hasRoom`, else the shortest there is. Throws a WireError for a constraint that is none.
 */
export function structuredText(
  structured: StructuredOutputs,
  seed: number,
  hasRoom: (text: string) => boolean,
): string {
  const make = constraintOf(structured)
  const text = make(new Chance(seed))
  if (hasRoom(text)) return text
  const short = make(new Chance(seed, true))
  return short.length < text.length ? short : text
}
