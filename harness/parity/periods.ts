import { HorizontalPodAutoscaler, ScaledObject } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { seconds } from '../../sandbox/world/time.ts'
import type { ObjectsView } from '../objects-view.ts'
import type { Period } from './stream.ts'

// pkg/controller/podautoscaler/config/v1alpha1/defaults.go
export const HPA_SYNC: Period = { name: 'HPA sync', us: seconds(15) }
export const SCRAPE: Period = { name: 'scrape', us: seconds(15) }
// pkg/kubelet/apis/config/v1beta1/defaults.go: a lease of 40 s is renewed each quarter of it; cmd/kube-controller-manager looks every 5 s
export const LEASE: Period = { name: 'node lease and monitor', us: seconds(15) }
// staging/src/k8s.io/kubectl/pkg/drain/drain.go
export const DRAIN_RETRY: Period = { name: 'retry of kubectl drain', us: seconds(5) }
/**
 * Of what follows from a write at once. The harness looks once a second whether a phase is over, so that all times since the begin of a
 * phase are known to a second.
 */
export const LOOK: Period = { name: 'look of the harness', us: seconds(1) }
// apis/keda/v1alpha1/withtriggers_types.go
const POLLING_SECONDS = 30
// pkg/apis/core/v1/defaults.go
const PROBE_SECONDS = 10

/** The period that governs decisions about a workload: of its probes, or of what scales it where that is longer. */
export class Periods {
  private readonly view: ObjectsView

  constructor(view: ObjectsView) {
    this.view = view
  }

  /** Of a pod, or of a workload by its template; `owner` is the workload that may be scaled. */
  of(
    spec: o.PodSpec,
    owner: { readonly kind: string; readonly name: string; readonly namespace: string } | undefined,
  ): Period {
    const probe = longestProbe(spec)
    const scaled = owner && this.scalingOf(owner)
    return scaled && scaled.us > (probe?.us ?? 0) ? scaled : (probe ?? LOOK)
  }

  ofPod(pod: o.Pod): Period {
    const { namespace = 'default', ownerReferences } = pod.metadata
    const owner = ownerReferences?.find(({ controller }) => controller)
    if (owner?.kind !== 'ReplicaSet') return this.of(pod.spec, owner && { ...owner, namespace })
    // a ReplicaSet of a Deployment is named after it, and after its template's hash
    return this.of(pod.spec, { kind: 'Deployment', name: owner.name.replace(/-[^-]+$/, ''), namespace })
  }

  /** Of KEDA's look at its triggers. */
  polling({ spec }: o.ScaledObject): Period {
    return { name: 'KEDA polling', us: seconds(spec.pollingInterval ?? POLLING_SECONDS) }
  }

  /** Of what scales a workload: KEDA alone takes it from zero. */
  private scalingOf({ kind, name, namespace }: { kind: string; name: string; namespace: string }): Period | undefined {
    const isOf = ({ metadata, spec }: o.HorizontalPodAutoscaler | o.ScaledObject) => {
      const target = spec.scaleTargetRef as { kind?: string; name: string }
      return target.name === name && (target.kind ?? 'Deployment') === kind && metadata.namespace === namespace
    }
    const fromZero = this.view.list(ScaledObject).find((one) => isOf(one) && !one.spec.minReplicaCount)
    if (fromZero) return this.polling(fromZero)
    return [...this.view.list(HorizontalPodAutoscaler), ...this.view.list(ScaledObject)].some(isOf)
      ? HPA_SYNC
      : undefined
  }
}

/** Of all a pod's containers; undefined where none has a probe. */
function longestProbe({ containers }: Pick<o.PodSpec, 'containers'>): Period | undefined {
  let longest: Period | undefined
  for (const container of containers)
    for (const sort of ['startup', 'readiness', 'liveness'] as const) {
      const probe = container[`${sort}Probe`]
      const us = probe ? seconds(probe.periodSeconds ?? PROBE_SECONDS) : 0
      if (us > (longest?.us ?? 0)) longest = { name: `${sort} probe`, us }
    }
  return longest
}
