import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import { selects } from '../../kube/selects.ts'
import {
  type Causes,
  forbidden,
  immutable,
  invalids,
  invalidValue,
  nonnegative,
  notSupported,
  required,
  sortedMap,
} from './field.ts'
import { annotations, labelSelector, labels, objectMeta, objectMetaUpdate, shownSelector } from './meta.ts'
import { dns1123Subdomain, isPercent, percent } from './names.ts'
import { podSpec } from './pod-spec.ts'

/** Follows pkg/apis/apps/validation/validation.go ValidateDeployment. */
export const deployment = (object: o.Deployment): Causes => [
  ...objectMeta(object.metadata, dns1123Subdomain),
  ...deploymentSpec(object.spec),
]

export const deploymentUpdate = (object: o.Deployment, before: o.Deployment): Causes => [
  ...objectMetaUpdate(object.metadata, before.metadata),
  ...(object.spec === before.spec ? [] : deploymentSpec(object.spec)),
  ...sameSelector(object, before),
]

/** Follows ValidateReplicaSet. */
export const replicaSet = (object: o.ReplicaSet): Causes => [
  ...objectMeta(object.metadata, dns1123Subdomain),
  ...replicaSetSpec(object.spec),
]

export const replicaSetUpdate = (object: o.ReplicaSet, before: o.ReplicaSet): Causes => [
  ...objectMetaUpdate(object.metadata, before.metadata),
  ...(object.spec === before.spec ? [] : replicaSetSpec(object.spec)),
  ...sameSelector(object, before),
]

const sameSelector = (object: o.Deployment | o.ReplicaSet, before: o.Deployment | o.ReplicaSet): Causes =>
  immutable(equal(object.spec.selector, before.spec.selector), shownSelector(object.spec.selector), 'spec.selector')

function deploymentSpec(spec: o.Deployment['spec']): Causes {
  const { minReadySeconds = 0, progressDeadlineSeconds: deadline } = spec
  return [
    ...nonnegative(spec.replicas, 'spec.replicas'),
    ...selectorAndTemplate(spec),
    ...strategy(spec.strategy),
    ...nonnegative(minReadySeconds, 'spec.minReadySeconds'),
    ...nonnegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...nonnegative(deadline, 'spec.progressDeadlineSeconds'),
    ...(deadline <= minReadySeconds
      ? [invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')]
      : []),
  ]
}

const replicaSetSpec = (spec: o.ReplicaSet['spec']): Causes => [
  ...nonnegative(spec.replicas, 'spec.replicas'),
  ...nonnegative(spec.minReadySeconds, 'spec.minReadySeconds'),
  ...selectorAndTemplate(spec),
]

const selectorAndTemplate = (spec: Selecting): Causes => replicaTemplate(spec, 'ReplicaSet')

interface Selecting {
  readonly selector?: o.LabelSelector
  readonly template: o.PodTemplateSpec
}

/** The selector and template of what keeps pods running: they match, and the pods are restarted for ever. */
export function replicaTemplate({ selector, template }: Selecting, kind: string): Causes {
  const own = podTemplate(template, 'spec.template', kind)
  if (!selector) return [required('spec.selector'), unmatched(template), ...own]
  const causes = labelSelector(selector, 'spec.selector')
  if (causes.length > 0)
    return [...causes, invalidValue('spec.selector', shownSelector(selector), 'invalid label selector')]
  const empty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0) === 0
  if (empty)
    causes.push(
      invalidValue(
        'spec.selector',
        {},
        `empty selector is invalid for ${kind === 'ReplicaSet' ? 'deployment' : kind.toLowerCase()}`,
      ),
    )
  else if (!selects(selector, template.metadata.labels)) causes.push(unmatched(template))
  return [...causes, ...own]
}

const unmatched = ({ metadata }: o.PodTemplateSpec): string =>
  invalidValue(
    'spec.template.metadata.labels',
    sortedMap(metadata.labels),
    '`selector` does not match template `labels`',
  )

/** Follows pkg/apis/core/validation/validation.go ValidatePodTemplateSpec and ValidatePodTemplateSpecForReplicaSet. */
function podTemplate(template: o.PodTemplateSpec, path: string, kind: string): Causes {
  const { spec } = template
  return [
    ...anyTemplate(template, path),
    ...(spec.restartPolicy === 'Always'
      ? []
      : [notSupported(`${path}.spec.restartPolicy`, spec.restartPolicy, ['Always'])]),
    ...(spec.activeDeadlineSeconds === undefined
      ? []
      : [forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`)]),
  ]
}

/** What holds for every pod template. Follows ValidatePodTemplateSpec. */
export const anyTemplate = ({ metadata, spec }: o.PodTemplateSpec, path: string): Causes => [
  ...labels(metadata.labels, `${path}.labels`),
  ...annotations(metadata.annotations, `${path}.annotations`),
  ...podSpec(spec, `${path}.spec`),
]

function strategy(given: o.Deployment['spec']['strategy']): Causes {
  const { type, rollingUpdate } = given
  const path = 'spec.strategy'
  if (type === 'Recreate')
    return rollingUpdate
      ? [forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")]
      : []
  if (type !== 'RollingUpdate')
    return [notSupported(path, { Type: type, RollingUpdate: rollingUpdate ?? null }, ['Recreate', 'RollingUpdate'])]
  const { maxSurge, maxUnavailable } = rollingUpdate!
  const at = `${path}.rollingUpdate`
  return [
    ...countOrPercent(maxUnavailable, `${at}.maxUnavailable`),
    ...countOrPercent(maxSurge, `${at}.maxSurge`),
    ...(amount(maxUnavailable) === 0 && amount(maxSurge) === 0
      ? [invalidValue(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
    ...(typeof maxUnavailable === 'string' && amount(maxUnavailable) > 100
      ? [invalidValue(`${at}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%')]
      : []),
  ]
}

export const countOrPercent = (value: o.IntOrString, path: string): Causes =>
  typeof value === 'string' ? invalids(path, value, percent(value)) : nonnegative(value, path)

/** A percentage counts as its number; text that is none counts as the number it begins with or 0, as intstr does. */
const amount = (value: o.IntOrString): number =>
  typeof value === 'number'
    ? value
    : isPercent(value)
      ? Number(value.slice(0, -1))
      : /^[+-]?\d+$/.test(value)
        ? Number(value)
        : 0

/** Follows ValidateDeploymentStatus and ValidateReplicaSetStatus. */
export function replicaCounts(status: Readonly<Record<string, unknown>>): Causes {
  const count = (field: string) => (status[field] as number | undefined) ?? 0
  const fields = ['updatedReplicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']
  return [
    ...['observedGeneration', 'replicas', ...fields, 'unavailableReplicas', 'terminatingReplicas'].flatMap((field) =>
      nonnegative(count(field), `status.${field}`),
    ),
    ...fields
      .filter((field) => count(field) > count('replicas'))
      .map((field) => invalidValue(`status.${field}`, count(field), 'cannot be greater than status.replicas')),
    ...(count('availableReplicas') > count('readyReplicas')
      ? [invalidValue('status.availableReplicas', count('availableReplicas'), 'cannot be greater than readyReplicas')]
      : []),
  ]
}
