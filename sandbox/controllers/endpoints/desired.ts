import { keyOf, Node } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { belongs, type EndpointPorts, endpointOf, endpointPorts } from './endpoint.ts'
import { type Desired, portsKey } from './slice-plan.ts'

/** A pod as one Service sees it. */
interface Place {
  readonly node: o.Node | undefined
  readonly ports: EndpointPorts
  readonly portsKey: string
  /** Undefined while the pod has no place in the slices. */
  readonly endpoint: o.Endpoint | undefined
}

interface Group extends Desired {
  readonly key: string
  readonly endpoints: o.Endpoint[]
}

/** The endpoints a Service should have. Each version of a pod is worked out once, for the Service and the nodes as they are. */
export class DesiredEndpoints {
  private readonly byService = new Map<string, { service: o.Service; places: WeakMap<o.Pod, Place> }>()

  /** By their ports, and why a pod was passed over, if one was. */
  of(kube: Kube, service: o.Service, pods: readonly o.Pod[]): { desired: readonly Desired[]; skipped?: string } {
    const places = this.placesOf(service)
    const groups = new Map<string, Group>()
    let group: Group | undefined
    let skipped: string | undefined
    for (const pod of pods) {
      let place = places.get(pod)
      if (!place) {
        place = placeOf(service, pod, kube.get(Node, pod.spec.nodeName ?? ''))
        places.set(pod, place)
      }
      const { node, ports, portsKey: key, endpoint } = place
      if (!endpoint) continue
      if (group?.key !== key) {
        group = groups.get(key) ?? { key, ports, endpoints: [] }
        groups.set(key, group)
      }
      if (!node && !service.spec.publishNotReadyAddresses)
        skipped ??= `skipping Pod ${pod.metadata.name} for Service ${keyOf(service)}: Node ${pod.spec.nodeName} Not Found`
      else if (endpoint.addresses.length > 0) group.endpoints.push(endpoint)
    }
    return { desired: [...groups.values()], skipped }
  }

  forget(serviceKey: string): void {
    this.byService.delete(serviceKey)
  }

  /** Forgets everything: a node came, went or moved to another zone. */
  nodesChanged(): void {
    this.byService.clear()
  }

  private placesOf(service: o.Service): WeakMap<o.Pod, Place> {
    const key = keyOf(service)
    let known = this.byService.get(key)
    if (known?.service !== service) {
      known = { service, places: new WeakMap() }
      this.byService.set(key, known)
    }
    return known.places
  }
}

function placeOf(service: o.Service, pod: o.Pod, node: o.Node | undefined): Place {
  const ports = endpointPorts(service, pod)
  const endpoint = belongs(pod) ? endpointOf(pod, node, service) : undefined
  return { node, ports, portsKey: portsKey(ports), endpoint }
}
