import type {
  HorizontalPodAutoscaler,
  LabelSelector,
  MetricSpec,
  ScaledObject,
} from '../../../../sandbox/kube/objects.ts'
import type { FieldPath } from '../../path.ts'
import { groupOf, type Platform, type PlatformObject } from '../../platform.ts'
import type { InferenceServerRole } from '../inference-servers.ts'
import { isMap } from '../pod-templates.ts'

/** One thing an autoscaler looks at, and where it is said. Figures are as written. */
export type Signal = { readonly path: FieldPath } & (
  | {
      readonly kind: 'resource'
      readonly resource: string
      readonly container?: string
      /** Percent of the request. */
      readonly utilization?: number
      readonly averageValue?: string
    }
  | {
      readonly kind: 'pods' | 'object' | 'external'
      readonly metric: string
      readonly selector?: LabelSelector
      readonly value?: string
      readonly averageValue?: string
      /** Of an object metric: `Service/chat`. */
      readonly describes?: string
    }
  | {
      readonly kind: 'prometheus'
      readonly serverAddress: string
      readonly query: string
      readonly threshold: string
      readonly activationThreshold?: string
      /** Where the query is said. */
      readonly queryPath: FieldPath
    }
  | { readonly kind: 'cron'; readonly start: string; readonly end: string; readonly desiredReplicas: string }
  | { readonly kind: 'other'; readonly type: string }
)

/** What decides how many replicas a server has. */
export interface Scaling {
  readonly object: PlatformObject
  readonly kind: 'hpa' | 'keda'
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly idleReplicas?: number
  /** It may take the server to no replica at all. */
  readonly toZero: boolean
  readonly signals: readonly Signal[]
}

/** The autoscaler of a server: the first that names it. */
export const scalingOf = (platform: Platform, server: InferenceServerRole<unknown>): Scaling | undefined =>
  scalingsOf(platform, server)[0]

/** All that name it. Two on one workload fight, or the second does nothing. */
export function scalingsOf(platform: Platform, server: InferenceServerRole<unknown>): Scaling[] {
  const named = new Set(server.scalers)
  return platform.objects.filter((object) => named.has(object)).flatMap((object) => scalingIn(object) ?? [])
}

/** What an object says of scaling; undefined for one that is no HorizontalPodAutoscaler or ScaledObject. */
export function scalingIn(object: PlatformObject): Scaling | undefined {
  const { kind, apiVersion } = object.manifest
  if (!isMap(object.manifest['spec'])) return undefined
  if (kind === 'HorizontalPodAutoscaler' && groupOf(apiVersion) === 'autoscaling') return hpaScaling(object)
  if (kind === 'ScaledObject' && groupOf(apiVersion) === 'keda.sh') return kedaScaling(object)
  return undefined
}

/** KEDA's default of maxReplicaCount. */
const KEDA_MAX = 100

type WrittenHpa = Partial<HorizontalPodAutoscaler['spec']> & { readonly targetCPUUtilizationPercentage?: number }

function hpaScaling(object: PlatformObject): Scaling {
  const spec = object.manifest['spec'] as WrittenHpa
  const minReplicas = spec.minReplicas ?? 1
  const signals = Array.isArray(spec.metrics)
    ? spec.metrics.flatMap((metric, i) => (isMap(metric) ? hpaSignal(metric, ['spec', 'metrics', i]) : []))
    : [defaultSignal(spec)]
  return {
    object,
    kind: 'hpa',
    minReplicas,
    maxReplicas: spec.maxReplicas ?? minReplicas,
    toZero: minReplicas === 0,
    signals,
  }
}

/** Without metrics an HPA scales on CPU at 80 %. */
const defaultSignal = ({ targetCPUUtilizationPercentage: given }: WrittenHpa): Signal => ({
  kind: 'resource',
  resource: 'cpu',
  utilization: given ?? 80,
  path: given === undefined ? ['spec'] : ['spec', 'targetCPUUtilizationPercentage'],
})

function hpaSignal(metric: MetricSpec, at: FieldPath): Signal {
  const resource = metric.resource ?? metric.containerResource
  if (resource) {
    const path = [...at, metric.resource ? 'resource' : 'containerResource', 'name']
    const { averageUtilization, averageValue } = resource.target ?? {}
    return {
      kind: 'resource',
      resource: String(resource.name),
      path,
      ...(metric.containerResource ? { container: metric.containerResource.container } : {}),
      ...(averageUtilization === undefined ? {} : { utilization: averageUtilization }),
      ...(averageValue === undefined ? {} : { averageValue: String(averageValue) }),
    }
  }
  const kind = metric.pods ? 'pods' : metric.object ? 'object' : metric.external ? 'external' : undefined
  if (!kind) return { kind: 'other', type: metric.type, path: at }
  const { metric: named, target } = metric[kind]!
  return {
    kind,
    metric: String(named?.name ?? ''),
    path: [...at, kind, 'metric', 'name'],
    ...(named?.selector ? { selector: named.selector } : {}),
    ...(target?.value === undefined ? {} : { value: String(target.value) }),
    ...(target?.averageValue === undefined ? {} : { averageValue: String(target.averageValue) }),
    ...(metric.object?.describedObject
      ? { describes: `${metric.object.describedObject.kind}/${metric.object.describedObject.name}` }
      : {}),
  }
}

function kedaScaling(object: PlatformObject): Scaling {
  const spec = object.manifest['spec'] as Partial<ScaledObject['spec']>
  const [minReplicas, maxReplicaCount] = [spec.minReplicaCount ?? 0, spec.maxReplicaCount ?? KEDA_MAX]
  const idleReplicaCount = spec.idleReplicaCount ?? undefined
  const triggers = Array.isArray(spec.triggers) ? spec.triggers : []
  return {
    object,
    kind: 'keda',
    minReplicas,
    maxReplicas: maxReplicaCount,
    ...(idleReplicaCount === undefined ? {} : { idleReplicas: idleReplicaCount }),
    toZero: minReplicas === 0 || idleReplicaCount === 0,
    signals: triggers.flatMap((trigger, i) =>
      isMap(trigger) ? kedaSignal(trigger as unknown as Trigger, ['spec', 'triggers', i]) : [],
    ),
  }
}

type Trigger = ScaledObject['spec']['triggers'][number]

function kedaSignal({ type, metadata, metricType }: Trigger, path: FieldPath): Signal {
  const of = (name: string): string => (isMap(metadata) ? String(metadata[name] ?? '').trim() : '')
  switch (type) {
    case 'cpu':
    case 'memory': {
      const utilization = (metricType ?? of('type')) === 'Utilization'
      return {
        kind: 'resource',
        resource: type,
        path,
        ...(of('containerName') ? { container: of('containerName') } : {}),
        ...(utilization ? { utilization: Number(of('value')) } : { averageValue: of('value') }),
      }
    }
    case 'prometheus':
      return {
        kind: 'prometheus',
        serverAddress: of('serverAddress'),
        query: of('query'),
        threshold: of('threshold'),
        ...(of('activationThreshold') ? { activationThreshold: of('activationThreshold') } : {}),
        path,
        queryPath: [...path, 'metadata', 'query'],
      }
    case 'cron':
      return { kind: 'cron', start: of('start'), end: of('end'), desiredReplicas: of('desiredReplicas'), path }
    default:
      return { kind: 'other', type: String(type), path: [...path, 'type'] }
  }
}
