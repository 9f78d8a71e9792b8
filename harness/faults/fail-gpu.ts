import { xidEffect } from '../../sandbox/gpus/xid.ts'
import { keyOf, Node, Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { aim, isStruck, type Struck, struckIn, tellStruck } from './aim.ts'
import { fault } from './fault.ts'

interface Params {
  /** 79: off the bus; 94: contained, the process dies. */
  xid: number | `$${string}`
}

const GPU = 'nvidia.com/gpu'

/**
 * A GPU that the subject's first pod uses reports an Xid. Seen when its node has a GPU fewer to give, or its
 * process ends.
 */
export const failGpu = fault<Params>({
  name: 'failGpu',
  lever: 'gpu.health',
  sort: 'failure',
  describe: ({ xid }) => `a GPU of a replica reports Xid ${xid}`,
  *inject({ xid: named }, context) {
    const xid = Number(named)
    const target = aim(context)
    if (!target) return () => undefined
    const { node, pod } = target
    const { uid, name } = pod.metadata
    tellStruck(
      context,
      'failGpu',
      { pod: keyOf(pod) },
      `the GPU of ${name} on ${node} reports Xid ${xid}: ${xidEffect(xid).name}`,
    )
    return context.sandbox.levers['gpu.health']!(node, { ofPodUid: uid }, { xid })
  },
  visible(_, { subject }) {
    let struck: Struck | undefined
    let seen = 0
    const gpusOf = (node: unknown) => Number((node as o.Node | undefined)?.status.allocatable[GPU] ?? 0)
    return {
      record(record, change) {
        if (record.type === 'note') struck = struckIn(record) ?? struck
        if (!struck || !change?.after) return
        if (change.kind === Node.id && gpusOf(change.after) < gpusOf(change.before)) seen++
        if (change.kind !== Pod.id || !isStruck(struck, change.after as o.Pod)) return
        if (restartsOf(change.after as o.Pod, subject.container) > 0) seen++
      },
      result: () => ({ samples: seen }),
    }
  },
})

const restartsOf = ({ status }: o.Pod, container: string): number =>
  status.containerStatuses?.find(({ name }) => name === container)?.restartCount ?? 0
