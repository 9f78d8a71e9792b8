import type { Pod } from '../../../kube/objects.ts'
import { Action } from '../events.ts'
import { UsedPorts } from '../host-ports.ts'
import { plugin } from '../plugin.ts'
import { factsOf } from '../pod-info.ts'
import { rejected } from '../status.ts'

const NAME = 'NodePorts'
const REJECTED = rejected(NAME, "node(s) didn't have free ports for the requested pod ports")

/** Follows pkg/scheduler/framework/plugins/nodeports/node_ports.go. */
export const nodePorts = plugin({
  name: NAME,
  nodeLocal: true,
  preFilter: ({ facts }) => (facts.hostPorts.length === 0 ? { skip: true } : {}),
  filter: (_, { facts }, { usedPorts }) => (usedPorts.fits(facts.hostPorts) ? undefined : REJECTED),
  events: [
    { resource: 'Pod', actions: Action.Delete, hint: (pod, before) => freesAPort(pod, before as Pod) },
    { resource: 'Node', actions: Action.Add },
  ],
})

function freesAPort(pod: Pod, deleted: Pod): boolean {
  if (!deleted.spec.nodeName && !deleted.status?.nominatedNodeName) return false
  const used = new UsedPorts()
  for (const port of factsOf(deleted.spec).hostPorts) used.add(port)
  return !used.fits(factsOf(pod.spec).hostPorts)
}
