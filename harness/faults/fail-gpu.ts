import { xidEffect } from '../../sandbox/gpus/xid.ts'
import { keyOf, Node } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { aim, tellStruck } from './aim.ts'
import { fault } from './fault.ts'

interface Params {
  /** 79: off the bus; 94: contained, the process dies. */
  xid: number | `$${string}`
}

const GPU = 'nvidia.com/gpu'

/** A GPU that the subject's first pod uses reports an Xid. Seen when its node has a GPU fewer to give. */
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
  visible() {
    let fell = 0
    const gpusOf = (node: unknown) => Number((node as o.Node | undefined)?.status.allocatable[GPU] ?? 0)
    return {
      record(_record, change) {
        if (change?.kind === Node.id && change.after && gpusOf(change.after) < gpusOf(change.before)) fell++
      },
      result: () => ({ samples: fell }),
    }
  },
})
