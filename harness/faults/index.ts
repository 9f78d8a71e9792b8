import type { Fault } from './fault.ts'
import { newImage } from './new-image.ts'
import { slowWeights } from './slow-weights.ts'

/** Every fault by name. */
export const faults: ReadonlyMap<string, Fault> = new Map(
  [newImage, slowWeights].map((fault) => [fault.name, fault as Fault] as const),
)
