import { DaemonSet } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { factsOf, type PodFacts } from '../../scheduler/framework/pod-info.ts'

/** A pod of every DaemonSet, as a new node would get it: what nodes hold before anything else does. */
export const daemonPods = (kube: Kube): { readonly pod: o.Pod; readonly facts: PodFacts }[] =>
  kube.list(DaemonSet).map((set) => {
    const { metadata, spec } = set
    const { labels = {} } = spec.template.metadata ?? {}
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${metadata.name}-daemon`,
        namespace: metadata.namespace ?? 'default',
        uid: `daemon/${metadata.uid}`,
        labels,
        creationTimestamp: '',
        resourceVersion: '0',
      },
      spec: { ...spec.template.spec, tolerations: [...(spec.template.spec.tolerations ?? []), ...TOLERATED] },
      status: { phase: 'Pending' },
    } as unknown as o.Pod
    return { pod, facts: factsOf(pod.spec) }
  })

/** What the DaemonSet controller adds to every pod that matters to nodes that come. Follows pkg/controller/daemon/util/daemonset_util.go. */
const TOLERATED: readonly o.Toleration[] = ['not-ready', 'unreachable', 'unschedulable'].map((name) => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
}))
