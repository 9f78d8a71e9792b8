import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import { parseQuantity } from '../../kube/quantity.ts'
import { KedaError } from './errors.ts'
import type { MetricSpec } from './scalers/scaler.ts'
import {
  COMPOSITE_METRIC,
  EXCLUDED_LABELS,
  hpaMaxReplicasOf,
  hpaMinReplicasOf,
  hpaNameOf,
  OWNER_LABEL,
  pausesScaleIn,
  pausesScaleOut,
  usesModifiers,
} from './spec.ts'
import { targetOf } from './target.ts'
import { int64Of, quantityOfMilli } from './value.ts'

/** The release this follows; it stands in a label. */
export const KEDA_VERSION = '2.21.0'

/** The HPA of a ScaledObject, as KEDA sends it. */
// follows controllers/keda/hpa.go newHPAForScaledObject
export function hpaFor(
  object: o.ScaledObject,
  metrics: readonly MetricSpec[],
): o.Draft<o.HorizontalPodAutoscaler> & { metadata: { name: string } } {
  const { metadata, spec } = object
  const { kind, apiVersion } = targetOf(object).kind
  const behavior = behaviorOf(object)
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      name: hpaNameOf(object),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: labelsOf(object),
      ...(metadata.annotations ? { annotations: metadata.annotations } : {}),
      ownerReferences: [
        {
          apiVersion: object.apiVersion,
          kind: object.kind,
          name: metadata.name,
          uid: metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      scaleTargetRef: { apiVersion, kind, name: spec.scaleTargetRef.name },
      minReplicas: hpaMinReplicasOf(object),
      maxReplicas: hpaMaxReplicasOf(object),
      metrics: metrics as o.HorizontalPodAutoscaler['spec']['metrics'],
      // the server fills in what the user left out
      ...(behavior ? { behavior: behavior as o.HorizontalPodAutoscaler['spec']['behavior'] } : {}),
    },
  }
}

/** The user's behavior, with a direction that is paused switched off. */
function behaviorOf(object: o.ScaledObject): o.HpaBehavior | undefined {
  const given = object.spec.advanced?.horizontalPodAutoscalerConfig?.behavior
  const off = { selectPolicy: 'Disabled' } as const
  const scaleDown = pausesScaleIn(object) ? { scaleDown: { ...given?.scaleDown, ...off } } : {}
  const scaleUp = pausesScaleOut(object) ? { scaleUp: { ...given?.scaleUp, ...off } } : {}
  const behavior = { ...given, ...scaleDown, ...scaleUp }
  return given || Object.keys(behavior).length > 0 ? behavior : undefined
}

const LABEL_MAX = 63

function labelsOf(object: o.ScaledObject): Record<string, string> {
  const { name, labels = {}, annotations = {} } = object.metadata
  const excluded = annotations[EXCLUDED_LABELS]?.split(',') ?? []
  const hpaName = hpaNameOf(object)
  return {
    'app.kubernetes.io/name':
      hpaName.length > LABEL_MAX ? hpaName.slice(0, LABEL_MAX).replace(/[^\p{L}\p{N}]+$/u, '') : hpaName,
    'app.kubernetes.io/version': KEDA_VERSION,
    'app.kubernetes.io/part-of': name,
    'app.kubernetes.io/managed-by': 'keda-operator',
    ...Object.fromEntries(Object.entries(labels).filter(([label]) => !excluded.includes(label))),
  }
}

/** What the HPA is to look at, and the names of it that go into the status. */
export interface MetricPlan {
  readonly specs: readonly MetricSpec[]
  readonly external: readonly string[]
  readonly resource: readonly string[]
  readonly composite: boolean
}

/** Throws a KedaError when a metric comes twice or a composite has no usable target. */
// follows controllers/keda/hpa.go getScaledObjectMetricSpecs
export function metricPlan(object: o.ScaledObject, specs: readonly MetricSpec[]): MetricPlan {
  const { name, namespace } = object.metadata
  if (specs.length === 0)
    throw new KedaError(`no metric specs returned from scalers for ScaledObject ${namespace}/${name}`)
  const selector = { matchLabels: { [OWNER_LABEL]: name } }
  const external: string[] = []
  const resource: string[] = []
  const sorted = specs
    .map((spec): MetricSpec => {
      if (spec.type === 'Resource') resource.push(spec.resource.name)
      if (spec.type !== 'External') return spec
      const metric = spec.external.metric.name
      if (external.includes(metric))
        throw new KedaError(`metricName ${metric} defined multiple times in ScaledObject ${name}`)
      external.push(metric)
      return { ...spec, external: { ...spec.external, metric: { name: metric, selector } } }
    })
    .sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0))
  const composite = compositeSpec(object, selector)
  if (!composite) return { specs: sorted, external, resource, composite: false }
  const kept = sorted.filter(({ type }) => type === 'Resource')
  return { specs: [...kept, composite], external, resource, composite: true }
}

function compositeSpec(
  object: o.ScaledObject,
  selector: { matchLabels: Record<string, string> },
): MetricSpec | undefined {
  if (!usesModifiers(object)) return undefined
  const { target, metricType } = object.spec.advanced!.scalingModifiers!
  if (metricType === 'Utilization')
    throw new KedaError(
      'error metric target type is Utilization, but it needs to be AverageValue or Value for external metrics',
    )
  const value = Number(target || 'NaN')
  if (!(value > 0)) return undefined
  const quantity = quantityOfMilli(int64Of(value * 1000))
  return {
    type: 'External',
    external: {
      metric: { name: COMPOSITE_METRIC, selector },
      target:
        metricType === 'Value' ? { type: 'Value', value: quantity } : { type: 'AverageValue', averageValue: quantity },
    },
  }
}

/** Whether what the HPA should be is not in what it is. */
// follows controllers/keda/hpa.go updateHPAIfNeeded
export function differs(wanted: ReturnType<typeof hpaFor>, found: o.HorizontalPodAutoscaler): boolean {
  if (wanted.spec.metrics.length !== found.spec.metrics.length) return true
  // the server completes a behavior, so one that is given is sent each time
  if (!equal(wanted.spec.behavior, found.spec.behavior)) return true
  const { annotations, labels } = wanted.metadata
  return (
    !isPartOf(wanted.spec, found.spec) ||
    !isPartOf(labels, found.metadata.labels) ||
    (!annotations && found.metadata.annotations !== undefined) ||
    !isPartOf(annotations, found.metadata.annotations)
  )
}

/** Whether all that is set in `part` stands in `whole`, as equality.Semantic.DeepDerivative has it. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (part === undefined || part === null || part === '' || part === 0 || part === false) return true
  if (Array.isArray(part))
    return (
      part.length === 0 ||
      (Array.isArray(whole) && part.length <= whole.length && part.every((item, i) => isPartOf(item, whole[i])))
    )
  if (typeof part === 'object')
    return Object.entries(part).every(([key, value]) =>
      isPartOf(value, (whole as Record<string, unknown> | undefined)?.[key]),
    )
  return part === whole || sameQuantity(part, whole)
}

function sameQuantity(a: unknown, b: unknown): boolean {
  if (typeof a !== 'string' || typeof b !== 'string' || !/^[\d.]+[a-zA-Z]{0,2}$/.test(a)) return false
  try {
    return parseQuantity(a).nanos === parseQuantity(b).nanos
  } catch {
    return false
  }
}
