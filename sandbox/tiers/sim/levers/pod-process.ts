import type { Levers } from '../../tier.ts'
import type { SimParts } from '../parts.ts'

export const podProcess =
  ({ nodes }: SimParts): NonNullable<Levers['pod.process']> =>
  (podKey, container) => {
    for (const node of nodes.values()) if (node.killProcess(podKey, container)) break
    return () => undefined
  }
