import { Node } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { condition } from '../../sandbox/kube/pods.ts'
import { aim, tellStruck } from './aim.ts'
import { fault } from './fault.ts'

/** The node of the subject's first pod goes dark without a word. Seen when a node's Ready is Unknown. */
export const loseNode = fault<Record<string, never>>({
  name: 'loseNode',
  lever: 'node.power',
  sort: 'failure',
  describe: () => 'the node of a replica goes dark without notice',
  *inject(_, context) {
    const target = aim(context)
    if (!target) return () => undefined
    const { node } = target
    tellStruck(context, 'loseNode', { node }, `the power of ${node} goes, where ${target.pod.metadata.name} runs`)
    return context.sandbox.levers['node.power']!(node)
  },
  visible() {
    let unknown = 0
    return {
      record(_record, change) {
        if (change?.kind !== Node.id || !change.after) return
        if (condition(change.after as o.Node, 'Ready')?.status === 'Unknown') unknown++
      },
      result: () => ({ samples: unknown }),
    }
  },
})
