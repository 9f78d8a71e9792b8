import type { Affinity, Pod, PodAffinityTerm } from '../../kube/objects.ts'
import { labelSelector, type Selector } from '../../kube/selectors.ts'

/** A term of pod affinity, ready to match. Follows k8s.io/kube-scheduler/framework/types.go AffinityTerm. */
export interface AffinityTerm {
  readonly topologyKey: string
  readonly selector: Selector
  /** Undefined: the namespace of the pod the term belongs to. */
  readonly namespaces: ReadonlySet<string> | undefined
  readonly namespaceSelector: Selector
}

export interface WeightedAffinityTerm extends AffinityTerm {
  readonly weight: number
}

/** The labels of a namespace; undefined when it is not known. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined

/** Whether `owner`'s term means `pod`. */
export function termMatches(term: AffinityTerm, owner: Pod, pod: Pod, namespaceLabels: NamespaceLabels): boolean {
  const namespace = pod.metadata.namespace ?? ''
  const inNamespace = term.namespaces ? term.namespaces.has(namespace) : owner.metadata.namespace === namespace
  if (!inNamespace && !term.namespaceSelector.matches(namespaceLabels(namespace))) return false
  return term.selector.matches(pod.metadata.labels)
}

/** Whether all terms mean the pod; false when there are none. */
export const allTermsMatch = (terms: readonly AffinityTerm[], owner: Pod, pod: Pod, labels: NamespaceLabels): boolean =>
  terms.length > 0 && terms.every((term) => termMatches(term, owner, pod, labels))

export const affinityTermsOf = (affinity: Affinity['podAffinity']): AffinityTerm[] =>
  (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(termOf)

export const weightedAffinityTermsOf = (affinity: Affinity['podAffinity']): WeightedAffinityTerm[] =>
  (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ weight, podAffinityTerm }) => ({
    ...termOf(podAffinityTerm),
    weight,
  }))

function termOf(term: PodAffinityTerm): AffinityTerm {
  const namesNone = (term.namespaces ?? []).length === 0
  return {
    topologyKey: term.topologyKey,
    selector: labelSelector(term.labelSelector),
    namespaces: namesNone && !term.namespaceSelector ? undefined : new Set(term.namespaces),
    namespaceSelector: labelSelector(term.namespaceSelector),
  }
}
