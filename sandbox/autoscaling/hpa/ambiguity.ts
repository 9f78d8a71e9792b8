import { labelTest } from '../../controllers/pod-facts.ts'
import { Pod } from '../../kube/kinds.ts'
import type { Index, Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Selector } from '../../kube/selectors.ts'
import type { Memory } from './memory.ts'

const podsByNamespace: Index<o.Pod> = {
  kind: Pod,
  name: 'namespace',
  values: ({ metadata }) => [metadata.namespace ?? ''],
}

/** The cached pods of a namespace that a selector matches. */
export function selectedPods(kube: Kube, namespace: string, { matches }: Selector): readonly o.Pod[] {
  return kube.indexed(podsByNamespace, namespace).filter(labelTest(matches))
}

/**
 * The keys of the HPAs whose selectors, as last seen, match any of these pods of one namespace.
 * Follows pkg/controller/podautoscaler/horizontal.go hpasControllingPodsUnderSelector.
 */
export function controllersOf(pods: readonly o.Pod[], namespace: string, { selectors }: Memory): string[] {
  const keys: string[] = []
  for (const [key, selector] of selectors)
    if (selector && key.startsWith(`${namespace}/`) && pods.some(labelTest(selector.matches))) keys.push(key)
  return keys
}
