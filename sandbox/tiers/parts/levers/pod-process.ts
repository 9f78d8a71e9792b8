import type { Levers } from '../../tier.ts'
import type { SandboxParts } from '../parts.ts'

export const podProcess =
  ({ nodes }: SandboxParts): NonNullable<Levers['pod.process']> =>
  (podKey, container) => {
    for (const node of nodes.values()) if (node.killProcess(podKey, container)) break
    return () => undefined
  }
