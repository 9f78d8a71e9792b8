import type { PodSpec } from '../kube/objects.ts'

/** Volumes whose claims, zones or limits decide where a pod may run. */
const PLACING_VOLUMES = [
  'persistentVolumeClaim',
  'ephemeral',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'azureDisk',
  'rbd',
  'iscsi',
  'csi',
]

const DEFAULT_ONLY: ReadonlySet<string> = new Set(['default-scheduler'])

/**
 * The fields of a pod that a scheduler goes by and this one does not: paths under `spec`. `schedulers`: the names there is a
 * profile for. Plugins left out: VolumeBinding,
 * VolumeZone, VolumeRestrictions, NodeVolumeLimits, DynamicResources, NodeDeclaredFeatures, GangScheduling.
 */
export function unmodelledFields(
  pod: { readonly spec: PodSpec },
  schedulers: { has(name: string): boolean } = DEFAULT_ONLY,
): string[] {
  const { spec } = pod
  const found: string[] = []
  for (const [i, volume] of (spec.volumes ?? []).entries())
    for (const source of PLACING_VOLUMES) if (volume[source]) found.push(`spec.volumes[${i}].${source}`)
  if (spec.resourceClaims?.length) found.push('spec.resourceClaims')
  for (const field of ['containers', 'initContainers'] as const)
    for (const [i, container] of (spec[field] ?? []).entries()) {
      const { resources, restartPolicyRules } = container as typeof container & { restartPolicyRules?: unknown[] }
      if (resources?.claims?.length) found.push(`spec.${field}[${i}].resources.claims`)
      if (restartPolicyRules?.some((rule) => (rule as { action?: string }).action === 'RestartAllContainers'))
        found.push(`spec.${field}[${i}].restartPolicyRules`)
    }
  const { hostUsers, schedulingGroup } = spec as PodSpec & { hostUsers?: boolean; schedulingGroup?: unknown }
  if (hostUsers === false && spec.hostNetwork) found.push('spec.hostUsers')
  if (schedulingGroup) found.push('spec.schedulingGroup')
  if (spec.schedulerName && !schedulers.has(spec.schedulerName)) found.push('spec.schedulerName')
  return found
}
