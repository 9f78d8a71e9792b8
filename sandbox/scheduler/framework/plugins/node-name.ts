import { Action } from '../events.ts'
import { plugin } from '../plugin.ts'
import { unresolvable } from '../status.ts'

const NAME = 'NodeName'
const REJECTED = unresolvable(NAME, "node(s) didn't match the requested node name")

/** Follows pkg/scheduler/framework/plugins/nodename/node_name.go. */
export const nodeName = plugin({
  name: NAME,
  nodeLocal: true,
  filter: (_, { pod }, { name }) => (pod.spec.nodeName && pod.spec.nodeName !== name ? REJECTED : undefined),
  events: [{ resource: 'Node', actions: Action.Add }],
})
