import type * as o from '../../kube/objects.ts'
import { parseQuantity } from '../../kube/quantity.ts'
import {
  type Causes,
  forbidden,
  invalids,
  invalidValue,
  NEGATIVE,
  nonnegative,
  notSupported,
  required,
} from './field.ts'
import { objectMeta, objectMetaUpdate } from './meta.ts'
import { metricSpec } from './metric-spec.ts'
import { dns1123Subdomain } from './names.ts'

type Hpa = o.HorizontalPodAutoscaler

// seconds
const STABILIZATION_MAX = 3600
const PERIOD_MAX = 1800

/** Follows pkg/apis/autoscaling/validation/validation.go ValidateHorizontalPodAutoscaler. */
export const horizontalPodAutoscaler = (hpa: Hpa): Causes => [
  ...objectMeta(hpa.metadata, dns1123Subdomain),
  ...spec(hpa, undefined),
]

export const horizontalPodAutoscalerUpdate = (hpa: Hpa, before: Hpa): Causes => [
  ...objectMetaUpdate(hpa.metadata, before.metadata),
  ...spec(hpa, before),
]

export const horizontalPodAutoscalerStatus = (hpa: Hpa, before: Hpa): Causes => [
  ...objectMetaUpdate(hpa.metadata, before.metadata),
  ...nonnegative(hpa.status?.currentReplicas, 'status.currentReplicas'),
  ...nonnegative(hpa.status?.desiredReplicas, 'status.desiredReplicas'),
]

function spec({ spec: given }: Hpa, before: Hpa | undefined): Causes {
  const { minReplicas, maxReplicas = 0, scaleTargetRef: ref, metrics, behavior } = given
  const least = before?.spec.minReplicas === 0 ? 0 : 1
  const old = before?.spec.scaleTargetRef
  const sameTarget = old !== undefined && old.apiVersion === ref?.apiVersion && old.kind === ref?.kind
  const objectsWereWrong = (before?.spec.metrics ?? []).some(
    ({ type, object }) => type === 'Object' && object && apiVersion(object.describedObject, 'any') !== undefined,
  )
  return [
    ...(minReplicas < least
      ? [invalidValue('spec.minReplicas', minReplicas, `must be greater than or equal to ${least}`)]
      : []),
    ...(maxReplicas === 0 ? [required('spec.maxReplicas', 'must be set and greater than 0')] : []),
    ...(maxReplicas < 0 ? [invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1')] : []),
    ...(maxReplicas < minReplicas
      ? [invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`')]
      : []),
    ...reference(
      ref,
      'spec.scaleTargetRef',
      sameTarget ? 'unchecked' : ref?.kind === 'ReplicationController' ? 'any' : 'with group',
    ),
    ...metrics.flatMap((metric, i) =>
      metricSpec(metric, `spec.metrics[${i}]`, (object, path) =>
        reference(object, path, objectsWereWrong ? 'unchecked' : 'any'),
      ),
    ),
    ...(minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')
      ? [
          forbidden(
            'spec.metrics',
            'must specify at least one Object or External metric to support scaling to zero replicas',
          ),
        ]
      : []),
    ...(behavior ? [...rules(behavior.scaleUp, 'scaleUp'), ...rules(behavior.scaleDown, 'scaleDown')] : []),
  ]
}

type ApiVersionRule = 'unchecked' | 'any' | 'with group'

/** Follows ValidateCrossVersionObjectReference. */
function reference(ref: o.CrossVersionObjectReference | undefined, path: string, rule: ApiVersionRule): Causes {
  const why = apiVersion(ref, rule)
  return [
    ...pathSegment(ref?.kind, `${path}.kind`),
    ...pathSegment(ref?.name, `${path}.name`),
    ...(why === undefined ? [] : [invalidValue(`${path}.apiVersion`, ref?.apiVersion ?? '', why)]),
  ]
}

function pathSegment(name: string | undefined, path: string): Causes {
  if (!name) return [required(path)]
  if (name === '.' || name === '..') return [invalidValue(path, name, `may not be '${name}'`)]
  const wrong = ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`)
  return invalids(path, name, wrong)
}

/** What is wrong with the apiVersion. Follows ValidateAPIVersion. */
function apiVersion(ref: o.CrossVersionObjectReference | undefined, rule: ApiVersionRule): string | undefined {
  if (rule === 'unchecked') return undefined
  const text = ref?.apiVersion ?? ''
  const parts = text.split('/').length
  if (parts > 2) return `unexpected GroupVersion string: ${text}`
  const group = parts === 2 ? text.slice(0, text.indexOf('/')) : ''
  return rule === 'with group' && group === '' ? 'apiVersion must specify API group' : undefined
}

function rules(given: o.ScalingRules, name: string): Causes {
  const path = `spec.behavior.${name}`
  const { stabilizationWindowSeconds: window = 0, selectPolicy, policies, tolerance } = given
  const at = `${path}.stabilizationWindowSeconds`
  return [
    ...(window < 0 ? [invalidValue(at, window, 'must be greater than or equal to zero')] : []),
    ...(window > STABILIZATION_MAX
      ? [invalidValue(at, window, `must be less than or equal to ${STABILIZATION_MAX}`)]
      : []),
    ...(['Disabled', 'Max', 'Min'].includes(selectPolicy)
      ? []
      : [notSupported(`${path}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min'])]),
    ...(policies.length === 0 ? [required(`${path}.policies`, 'must specify at least one Policy')] : []),
    ...policies.flatMap((item, i) => policy(item, `${path}.policies[${i}]`)),
    ...(tolerance !== undefined && parseQuantity(tolerance).nanos < 0n
      ? [invalidValue(`${path}.tolerance`, tolerance, NEGATIVE)]
      : []),
  ]
}

function policy({ type, value = 0, periodSeconds = 0 }: o.ScalingPolicy, path: string): Causes {
  const period = `${path}.periodSeconds`
  return [
    ...(type === 'Pods' || type === 'Percent' ? [] : [notSupported(`${path}.type`, type ?? '', ['Percent', 'Pods'])]),
    ...(value > 0 ? [] : [invalidValue(`${path}.value`, value, 'must be greater than zero')]),
    ...(periodSeconds > 0 ? [] : [invalidValue(period, periodSeconds, 'must be greater than zero')]),
    ...(periodSeconds > PERIOD_MAX
      ? [invalidValue(period, periodSeconds, `must be less than or equal to ${PERIOD_MAX}`)]
      : []),
  ]
}
