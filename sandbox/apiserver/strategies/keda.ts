import { KedaError } from '../../autoscaling/keda/errors.ts'
import { UnsupportedFormulaError } from '../../autoscaling/keda/formula/syntax.ts'
import { formulaOf } from '../../autoscaling/keda/modifiers.ts'
import {
  checkFallback,
  checkReplicaBounds,
  checkTriggers,
  fallsBackByModifiers,
  hpaNameOf,
  isResource,
  OWNER_LABEL,
  onlyResources,
  usesModifiers,
} from '../../autoscaling/keda/spec.ts'
import { targetOf } from '../../autoscaling/keda/target.ts'
import { equal } from '../../journal/merge-patch.ts'
import { ApiError } from '../../kube/errors.ts'
import { HorizontalPodAutoscaler, ScaledObject } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Strategy, StrategyContext } from '../strategy.ts'
import { invalidValue, notSupported, required } from '../validation/field.ts'
import { customResource } from './others.ts'

/** The CRD's defaults and rules, and KEDA's admission webhook. Follows config/crd/bases/keda.sh_scaledobjects.yaml. */
export const scaledObjectStrategy: Strategy<o.ScaledObject> = {
  ...(customResource as unknown as Strategy<o.ScaledObject>),
  default(object) {
    const { fallback } = object.spec ?? {}
    if (!fallback || fallback.behavior) return object
    return { ...object, spec: { ...object.spec, fallback: { ...fallback, behavior: 'static' } } }
  },
  admit(object, context) {
    // a schema that is broken is told by `validate`, which comes after
    if (schemaCauses(object).length === 0) admitByWebhook(object, context)
    return object
  },
  prepareForUpdate(object, before, context) {
    const finalizers = ({ metadata }: o.ScaledObject) => metadata.finalizers?.length ?? 0
    const lettingGo = finalizers(object) < finalizers(before) && equal(object.spec, before.spec)
    if (!lettingGo && schemaCauses(object).length === 0) admitByWebhook(object, context)
    return object
  },
  validate: (object) => [...(customResource.validate?.(object) ?? []), ...schemaCauses(object)],
  validateUpdate: (object, before) => [
    ...(customResource.validateUpdate?.(object, before) ?? []),
    ...schemaCauses(object),
  ],
}

const MINIMUMS = {
  pollingInterval: 1,
  initialCooldownPeriod: 0,
  cooldownPeriod: 0,
  idleReplicaCount: 0,
  minReplicaCount: 0,
  maxReplicaCount: 1,
} as const

const BEHAVIORS = ['static', 'currentReplicas', 'currentReplicasIfHigher', 'currentReplicasIfLower', 'scalingModifiers']

function schemaCauses({ spec }: o.ScaledObject): string[] {
  if (!spec) return [required('spec')]
  const causes: string[] = []
  for (const [name, minimum] of Object.entries(MINIMUMS)) {
    const value = spec[name as keyof typeof MINIMUMS]
    if (value !== undefined && value < minimum) causes.push(atLeast(`spec.${name}`, value, minimum))
  }
  if (!spec.scaleTargetRef) causes.push(required('spec.scaleTargetRef'))
  else if (!spec.scaleTargetRef.name)
    causes.push(
      spec.scaleTargetRef.name === ''
        ? invalidValue(
            'spec.scaleTargetRef.name',
            '',
            'spec.scaleTargetRef.name in body should be at least 1 chars long',
          )
        : required('spec.scaleTargetRef.name'),
    )
  if (!spec.triggers) causes.push(required('spec.triggers'))
  else if (spec.triggers.length === 0)
    causes.push(invalidValue('spec.triggers', 0, 'spec.triggers in body should have at least 1 items'))
  causes.push(...(spec.triggers ?? []).flatMap(triggerCauses), ...fallbackCauses(spec.fallback))
  if (causes.length === 0 && (spec.minReplicaCount ?? 0) > (spec.maxReplicaCount ?? 100))
    causes.push('spec: Invalid value: minReplicaCount must be less than or equal to maxReplicaCount')
  return causes
}

const atLeast = (path: string, value: number, minimum: number): string =>
  invalidValue(path, value, `${path} in body should be greater than or equal to ${minimum}`)

function triggerCauses({ type, metadata }: o.ScaleTrigger, i: number): string[] {
  const at = `spec.triggers[${i}]`
  if (!type) return [required(`${at}.type`)]
  if (!metadata) return [required(`${at}.metadata`)]
  return Object.entries(metadata).flatMap(([name, value]) => {
    if (typeof value === 'string') return []
    const type = typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
    return [
      invalidValue(`${at}.metadata.${name}`, type, `${at}.metadata.${name} in body must be of type string: "${type}"`),
    ]
  })
}

function fallbackCauses(fallback: o.ScaledObjectFallback | undefined): string[] {
  if (!fallback) return []
  const causes: string[] = []
  for (const name of ['failureThreshold', 'replicas'] as const) {
    const value = fallback[name]
    if (value === undefined) causes.push(required(`spec.fallback.${name}`))
    else if (value < 0) causes.push(atLeast(`spec.fallback.${name}`, value, 0))
  }
  if (!BEHAVIORS.includes(fallback.behavior ?? 'static'))
    causes.push(notSupported('spec.fallback.behavior', fallback.behavior, BEHAVIORS))
  return causes
}

/**
 * Fails with Forbidden. What depends on objects that may come later (the requests of the target's containers) is not asked.
 * Follows apis/keda/v1alpha1/scaledobject_webhook.go.
 */
function admitByWebhook(object: o.ScaledObject, context: StrategyContext): void {
  try {
    verifyNames(object)
    verifyOthers(object, context)
    if (onlyResources(object) && object.spec.triggers.some(isResource) && !object.spec.minReplicaCount)
      throw new KedaError(
        "scaledobject has only cpu/memory triggers AND minReplica is 0 (scale to zero doesn't work in this case)",
      )
    if (usesModifiers(object)) verifyModifiers(object)
    if (fallsBackByModifiers(object) && !object.spec.advanced?.scalingModifiers?.formula)
      throw new KedaError('scalingModifiers fallback behavior requires scalingModifiers.formula to be defined')
    checkReplicaBounds(object)
    checkFallback(object)
    checkTriggers(object.spec.triggers)
  } catch (error) {
    if (!(error instanceof KedaError)) throw error
    throw new ApiError(403, 'Forbidden', `admission webhook "vscaledobject.kb.io" denied the request: ${error.message}`)
  }
}

const LABEL_MAX = 63

/** Names stand in labels. */
function verifyNames(object: o.ScaledObject): void {
  const { name } = object.metadata
  const hpa = hpaNameOf(object)
  if (name.length > LABEL_MAX)
    throw new KedaError(
      `scaledobject name "${name}" is ${name.length} characters long; must be no more than ${LABEL_MAX} characters because it is used as the "${OWNER_LABEL}" label value`,
    )
  if (hpa.length > LABEL_MAX)
    throw new KedaError(
      `HPA name "${hpa}" derived from scaledobject is ${hpa.length} characters long; must be no more than ${LABEL_MAX} characters; set spec.advanced.horizontalPodAutoscalerConfig.name to a shorter name or shorten the scaledobject name`,
    )
}

/** One target has one ScaledObject and one HPA, and an HPA has one ScaledObject. */
function verifyOthers(object: o.ScaledObject, { list }: StrategyContext): void {
  const { namespace, name } = object.metadata
  const target = targetOf(object)
  const [hpaName, workload] = [hpaNameOf(object), object.spec.scaleTargetRef.name]
  for (const other of list(ScaledObject)) {
    if (other.metadata.namespace !== namespace || other.metadata.name === name) continue
    const { key, gvk } = targetOf(other)
    if (key === target.key && gvk === target.gvk)
      throw new KedaError(
        `the workload '${workload}' of type '${gvk}' is already managed by the ScaledObject '${other.metadata.name}'`,
      )
    if (hpaNameOf(other) === hpaName)
      throw new KedaError(`the HPA '${hpaName}' is already managed by the ScaledObject '${other.metadata.name}'`)
  }
  for (const { metadata, spec } of list(HorizontalPodAutoscaler)) {
    const { kind, apiVersion, name: scaled } = spec.scaleTargetRef
    if (metadata.namespace !== namespace || scaled !== workload) continue
    if (`${apiVersion || 'apps/v1'}.${kind || 'Deployment'}` !== target.gvk) continue
    if (metadata.annotations?.['validations.keda.sh/hpa-ownership'] === 'false') continue
    if (metadata.ownerReferences?.some((owner) => owner.kind === 'ScaledObject' && owner.name === name)) continue
    verifyTransfer(object, metadata.name)
  }
}

function verifyTransfer(object: o.ScaledObject, hpa: string): void {
  const workload = object.spec.scaleTargetRef.name
  const { gvk } = targetOf(object)
  if (object.metadata.annotations?.['scaledobject.keda.sh/transfer-hpa-ownership'] !== 'true')
    throw new KedaError(`the workload '${workload}' of type '${gvk}' is already managed by the hpa '${hpa}'`)
  if (object.spec.advanced?.horizontalPodAutoscalerConfig?.name !== hpa)
    throw new KedaError(
      `the existing hpa '${hpa}' for workload '${workload}' of type '${gvk}' must be specified by name in advanced settings to enable ownership transfer`,
    )
}

/** A formula that is not modelled is let in: what rests on it is reported elsewhere. */
function verifyModifiers(object: o.ScaledObject): void {
  try {
    if (!formulaOf(object)) throw new KedaError('error ScalingModifiers.Formula is mandatory')
  } catch (error) {
    if (!(error instanceof UnsupportedFormulaError)) throw error
  }
}
