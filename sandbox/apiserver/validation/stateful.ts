import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import { type Causes, forbidden, invalids, invalidValue, nonnegative } from './field.ts'
import { objectMeta, objectMetaUpdate } from './meta.ts'
import { dns1123Label, dns1123Subdomain } from './names.ts'
import { countOrPercent, replicaTemplate } from './workloads.ts'

/** Follows pkg/apis/apps/validation/validation.go ValidateStatefulSet. */
export const statefulSet = (object: o.StatefulSet): Causes => [
  ...objectMeta(object.metadata, dns1123Subdomain),
  ...statefulSpec(object.spec),
  ...(object.spec.serviceName
    ? invalids('spec.serviceName', object.spec.serviceName, dns1123Label(object.spec.serviceName))
    : []),
]

const FREE = [
  'replicas',
  'template',
  'updateStrategy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
] as const

/** Follows ValidateStatefulSetUpdate: what a claim template or the selector says stays. */
export function statefulSetUpdate(object: o.StatefulSet, before: o.StatefulSet): Causes {
  const causes = objectMetaUpdate(object.metadata, before.metadata)
  if (object.spec === before.spec) return causes
  causes.push(...statefulSpec(object.spec))
  const rest = { ...object.spec, ...Object.fromEntries(FREE.map((field) => [field, before.spec[field]])) }
  if (!equal(rest, before.spec))
    causes.push(
      forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    )
  return causes
}

function statefulSpec(spec: o.StatefulSet['spec']): Causes {
  const { podManagementPolicy: policy, updateStrategy, volumeClaimTemplates = [], template } = spec
  const { type, rollingUpdate } = updateStrategy
  const path = 'spec.updateStrategy'
  return [
    ...(policy === 'OrderedReady' || policy === 'Parallel'
      ? []
      : [invalidValue('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'")]),
    ...(type === 'RollingUpdate' || type === 'OnDelete'
      ? []
      : [invalidValue(path, { Type: type }, "must be 'RollingUpdate' or 'OnDelete'")]),
    ...(type === 'OnDelete' && rollingUpdate
      ? [invalidValue(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
      : []),
    ...nonnegative(rollingUpdate?.partition, `${path}.rollingUpdate.partition`),
    ...(rollingUpdate?.maxUnavailable === undefined
      ? []
      : countOrPercent(rollingUpdate.maxUnavailable, `${path}.rollingUpdate.maxUnavailable`)),
    ...nonnegative(spec.replicas, 'spec.replicas'),
    ...nonnegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonnegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...replicaTemplate({ ...spec, template: withClaimVolumes(template, volumeClaimTemplates) }, 'StatefulSet'),
  ]
}

/** The template as its pods will have it: containers may mount what the claim templates make. */
function withClaimVolumes(template: o.PodTemplateSpec, claims: readonly o.ClaimTemplate[]): o.PodTemplateSpec {
  if (claims.length === 0) return template
  const names = new Set(claims.map(({ metadata }) => metadata.name))
  const volumes = claims.map(({ metadata: { name } }) => ({ name, persistentVolumeClaim: { claimName: 'template' } }))
  const others = (template.spec.volumes ?? []).filter(({ name }) => !names.has(name))
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...others] } }
}

/** Follows ValidateDaemonSet. */
export const daemonSet = (object: o.DaemonSet): Causes => [
  ...objectMeta(object.metadata, dns1123Subdomain),
  ...daemonSpec(object.spec),
]

export const daemonSetUpdate = (object: o.DaemonSet, before: o.DaemonSet): Causes => [
  ...objectMetaUpdate(object.metadata, before.metadata),
  ...(object.spec === before.spec ? [] : daemonSpec(object.spec)),
  ...(equal(object.spec.selector, before.spec.selector)
    ? []
    : [invalidValue('spec.selector', object.spec.selector, 'field is immutable')]),
]

function daemonSpec(spec: o.DaemonSet['spec']): Causes {
  const { type, rollingUpdate } = spec.updateStrategy
  const path = 'spec.updateStrategy'
  return [
    ...replicaTemplate(spec, 'DaemonSet'),
    ...nonnegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...(type === 'RollingUpdate' && rollingUpdate ? rollingDaemonSet(rollingUpdate, `${path}.rollingUpdate`) : []),
    ...nonnegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ]
}

/** Exactly one of the two is 0. Follows ValidateRollingUpdateDaemonSet. */
function rollingDaemonSet(
  { maxUnavailable, maxSurge }: NonNullable<o.DaemonSet['spec']['updateStrategy']['rollingUpdate']>,
  path: string,
): Causes {
  const isZero = (value: o.IntOrString) => Number.parseInt(String(value), 10) === 0
  const causes = [
    ...countOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...countOrPercent(maxSurge, `${path}.maxSurge`),
  ]
  if (!isZero(maxUnavailable) && !isZero(maxSurge))
    causes.push(invalidValue(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (isZero(maxUnavailable) && isZero(maxSurge))
    causes.push(invalidValue(`${path}.maxUnavailable`, maxUnavailable, 'cannot be 0 when maxSurge is 0'))
  return causes
}
