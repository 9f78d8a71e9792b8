import { Node } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { condition } from '../../../sandbox/kube/pods.ts'
import { LEASE } from '../periods.ts'
import { stream } from '../stream.ts'

const GPU = 'nvidia.com/gpu'

/** What becomes of nodes. */
export const nodes = stream({
  name: 'nodes',
  compares: 'nodes that join and go; Ready, cordon and taints of each; GPUs it offers',
  start:
    ({ roles, decide }) =>
    (_record, change) => {
      if (change?.kind !== Node.id) return
      const say = (text: string) => decide(`node ${roles.node(change.key)} ${text}`, LEASE)
      const [after, before] = [change.after as o.Node | undefined, change.before as o.Node | undefined]
      if (!after || !before) say(after ? 'joins' : 'goes')
      if (!after) return
      const [ready, wasReady] = [after, before].map((node) => node && condition(node, 'Ready')?.status)
      if (ready !== wasReady) say(`Ready=${ready}`)
      if (after.spec.unschedulable !== before?.spec.unschedulable && (after.spec.unschedulable || before))
        say(after.spec.unschedulable ? 'cordoned' : 'uncordoned')
      const [taints, old] = [taintsOf(after), before ? taintsOf(before) : []]
      for (const taint of taints) if (!old.includes(taint)) say(`tainted ${taint}`)
      for (const taint of old) if (!taints.includes(taint)) say(`no longer tainted ${taint}`)
      const [gpus, had] = [after, before].map((node) => node?.status.allocatable?.[GPU])
      if (gpus !== had && before) say(`offers ${gpus ?? 0} GPUs`)
    },
})

/** The cordon's own taint says what `unschedulable` says. */
const taintsOf = ({ spec }: o.Node): string[] =>
  (spec.taints ?? [])
    .map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`)
    .filter((taint) => !taint.startsWith('node.kubernetes.io/unschedulable'))
