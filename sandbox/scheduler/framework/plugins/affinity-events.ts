import type { Node, Pod } from '../../../kube/objects.ts'
import { Action, type EventHint } from '../events.ts'
import { factsOf } from '../pod-info.ts'
import { allTermsMatch } from '../pod-terms.ts'

/** The hints look at no namespace's labels: a term that selects namespaces by label is overlooked, as in upstream. */
const noLabels = () => undefined

/** Changes after which affinity may hold. Follows pkg/scheduler/framework/plugins/interpodaffinity/plugin.go. */
export const affinityEvents: readonly EventHint[] = [
  {
    resource: 'Pod',
    actions: Action.Add | Action.UpdatePodLabel | Action.Delete,
    hint: (pod, before, after) => podMatters(pod, before as Pod | undefined, after as Pod | undefined),
  },
  {
    resource: 'Node',
    actions: Action.Add | Action.UpdateNodeLabel,
    hint: (pod, before, after) => nodeMatters(pod, before as Node | undefined, after as Node),
  },
]

const isPlaced = (pod: Pod): boolean => Boolean(pod.spec.nodeName || pod.status?.nominatedNodeName)

function podMatters(pod: Pod, before: Pod | undefined, after: Pod | undefined): boolean {
  if (before && after && pod.metadata.uid === after.metadata.uid) return true
  if ((after && !isPlaced(after)) || (before && !isPlaced(before))) return false
  const facts = factsOf(pod.spec)
  const attracts = (p: Pod) => allTermsMatch(facts.requiredAffinity, pod, p, noLabels)
  const repels = (p: Pod) => allTermsMatch(facts.requiredAntiAffinity, pod, p, noLabels)
  if (before && after) return (!attracts(before) && attracts(after)) || (repels(before) && !repels(after))
  if (after) return attracts(after)
  return repels(before!) || allTermsMatch(factsOf(before!.spec).requiredAntiAffinity, before!, pod, noLabels)
}

function nodeMatters(pod: Pod, before: Node | undefined, after: Node): boolean {
  const facts = factsOf(pod.spec)
  const now = after.metadata.labels ?? {}
  const old = before?.metadata.labels ?? {}
  for (const { topologyKey } of facts.requiredAffinity)
    if (topologyKey in now && (!before || now[topologyKey] !== old[topologyKey])) return true
  for (const { topologyKey } of facts.requiredAntiAffinity)
    if (!before || (topologyKey in old && now[topologyKey] !== old[topologyKey])) return true
  return false
}
