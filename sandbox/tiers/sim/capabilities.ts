import type { Capabilities, Feature } from '../capabilities.ts'

/** What everything simulated has actors for. */
export const simCapabilities: Capabilities = {
  tier: 'sim',
  kinds: new Set([
    'pods',
    'deployments.apps',
    'replicasets.apps',
    'statefulsets.apps',
    'daemonsets.apps',
    'jobs.batch',
    'services',
    'priorityclasses.scheduling.k8s.io',
    'poddisruptionbudgets.policy',
    'horizontalpodautoscalers.autoscaling',
    'scaledobjects.keda.sh',
    'resourcequotas',
    'limitranges',
    'persistentvolumeclaims',
    'persistentvolumes',
    'storageclasses.storage.k8s.io',
    'nodepools.karpenter.sh',
  ]),
  features: new Set<Feature>([
    'schedule.podAffinity',
    'schedule.topologySpread',
    'schedule.hostPort',
    'schedule.profile',
    'volume.persistent',
  ]),
}
