import { controllerOf } from '../kube/indexes.ts'
import { kindOf, Namespace, Service } from '../kube/kinds.ts'
import type { Index, Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { labelSelector, type Selector, selectorFromSet } from '../kube/selectors.ts'
import type { Listers } from './framework/plugin.ts'

const servicesByNamespace: Index<o.Service> = {
  kind: Service,
  name: 'namespace',
  values: (service) => [service.metadata.namespace ?? ''],
}

/** Controllers whose selectors the default spreading goes by. Follows pkg/scheduler/framework/plugins/helper/spread.go. */
const SPREAD_BY: ReadonlySet<string> = new Set([
  'v1/ReplicationController',
  'apps/v1/ReplicaSet',
  'apps/v1/StatefulSet',
])

/** What plugins look up, from the scheduler's own caches. */
export function listersOver(kube: Kube): Listers {
  const selectors = new WeakMap<o.KubeObject, Selector>()
  return {
    services: (namespace) => kube.indexed(servicesByNamespace, namespace),
    namespaceLabels: (namespace) => kube.get(Namespace, namespace)?.metadata.labels,
    controllerSelector(pod) {
      const owner = controllerOf(pod)
      if (!owner || !SPREAD_BY.has(`${owner.apiVersion}/${owner.kind}`)) return undefined
      const controller = kube.get(kindOf(owner), `${pod.metadata.namespace}/${owner.name}`)
      if (!controller) return undefined
      let selector = selectors.get(controller)
      if (!selector) {
        const { spec } = controller as o.OtherObject & { spec: { selector?: o.LabelSelector | Record<string, string> } }
        selector =
          owner.kind === 'ReplicationController'
            ? selectorFromSet((spec.selector ?? {}) as Record<string, string>)
            : labelSelector(spec.selector as o.LabelSelector | undefined)
        selectors.set(controller, selector)
      }
      return selector
    },
  }
}
