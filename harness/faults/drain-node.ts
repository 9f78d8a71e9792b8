import { Node } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { uncordon } from '../../sandbox/kubectl/cordon.ts'
import { drain } from '../../sandbox/kubectl/drain.ts'
import { parseDuration } from '../../sandbox/world/time.ts'
import { aim, tellStruck } from './aim.ts'
import { fault } from './fault.ts'

interface Params {
  /** How long kubectl tries. */
  timeout: string
}

/** What journals the lines that kubectl prints. */
export const DRAIN_PROCESS = 'kubectl drain'

/**
 * The node of the subject's first pod is drained as people do it, and uncordoned when it is healed. What kubectl prints is journalled. Seen when
 * the node has been cordoned.
 */
export const drainNode = fault<Params>({
  name: 'drainNode',
  sort: 'failure',
  describe: ({ timeout }) =>
    `the node of a replica is drained (kubectl drain --ignore-daemonsets --delete-emptydir-data --timeout=${timeout})`,
  *inject({ timeout }, context) {
    const { world, kube } = context.sandbox
    const target = aim(context)
    if (!target) return () => undefined
    const { node } = target
    tellStruck(context, 'drainNode', { node }, `drains ${node}, where ${target.pod.metadata.name} runs`)
    yield* drain(kube, node, {
      ignoreDaemonSets: true,
      deleteEmptyDirData: true,
      timeout: parseDuration(timeout),
      onLine: ({ text }) => world.journal.append({ type: 'note', by: DRAIN_PROCESS, about: `Node ${node}`, text }),
    })
    return () => {
      world.spawn(`fault/drainNode/${node}/uncordon`, uncordon(kube, node))
    }
  },
  visible() {
    let cordoned = 0
    return {
      record(_record, change) {
        if (change?.kind === Node.id && (change.after as o.Node | undefined)?.spec.unschedulable) cordoned++
      },
      result: () => ({ samples: cordoned }),
    }
  },
})
