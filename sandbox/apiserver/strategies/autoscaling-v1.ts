import type * as o from '../../kube/objects.ts'

type Hpa = o.HorizontalPodAutoscaler
type Json = Record<string, unknown>

const ANNOTATION = 'autoscaling.alpha.kubernetes.io'
const METRICS = `${ANNOTATION}/metrics`
const BEHAVIOR = `${ANNOTATION}/behavior`
const ROUND_TRIP = [
  ...[METRICS, BEHAVIOR, `${ANNOTATION}/scale-down-tolerance`, `${ANNOTATION}/scale-up-tolerance`],
  ...[`${ANNOTATION}/current-metrics`, `${ANNOTATION}/conditions`],
]

/**
 * An autoscaling/v1 object as autoscaling/v2: the cpu target and what annotations carry of later versions become its metrics.
 * Annotations that cannot be read are dropped, as upstream drops them. Follows pkg/apis/autoscaling/v1/conversion.go.
 */
export function fromV1(hpa: Hpa): Hpa {
  const { targetCPUUtilizationPercentage: percent, ...spec } = hpa.spec as Hpa['spec'] & {
    targetCPUUtilizationPercentage?: number
  }
  const { annotations } = hpa.metadata
  const others = parsed<Json[]>(annotations?.[METRICS]) ?? []
  const metrics = [...others.map(metricFromV1), ...(percent === undefined || percent === null ? [] : [cpu(percent)])]
  const behavior = parsed<Json>(annotations?.[BEHAVIOR])
  const kept = annotations && Object.fromEntries(Object.entries(annotations).filter(([k]) => !ROUND_TRIP.includes(k)))
  return {
    ...hpa,
    apiVersion: 'autoscaling/v2',
    metadata: { ...hpa.metadata, ...(kept ? { annotations: kept } : {}) },
    spec: {
      ...spec,
      metrics,
      ...(behavior && Object.keys(behavior).length > 0 ? { behavior: decapitalised(behavior) as never } : {}),
    },
  }
}

const cpu = (averageUtilization: number): o.MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

function parsed<T>(text: string | undefined): T | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T)
  } catch {
    return undefined
  }
}

/** Upstream writes the behaviour with Go's field names and reads it without regard to case. */
function decapitalised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decapitalised)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === null ? [] : [[`${key[0]?.toLowerCase()}${key.slice(1)}`, decapitalised(inner)]],
    ),
  )
}

interface SourceV1 {
  name?: string
  container?: string
  metricName?: string
  selector?: o.LabelSelector
  metricSelector?: o.LabelSelector
  target?: o.CrossVersionObjectReference
  targetValue?: string
  averageValue?: string
  targetAverageValue?: string
  targetAverageUtilization?: number
}

function metricFromV1(metric: Json): o.MetricSpec {
  const out: Json = { type: metric['type'] }
  for (const source of ['resource', 'containerResource', 'pods', 'object', 'external'] as const)
    if (metric[source]) out[source] = CONVERT[source](metric[source] as SourceV1)
  return out as unknown as o.MetricSpec
}

const identifier = (s: SourceV1) => ({
  metric: present({ name: s.metricName, selector: s.selector ?? s.metricSelector }),
})

const CONVERT = {
  resource: (s: SourceV1) => ({ name: s.name, target: resourceTarget(s) }),
  containerResource: (s: SourceV1) => ({ name: s.name, container: s.container, target: resourceTarget(s) }),
  pods: (s: SourceV1) => ({
    ...identifier(s),
    target: { type: 'AverageValue', averageValue: s.targetAverageValue ?? '0' },
  }),
  object(s: SourceV1) {
    const { averageValue, targetValue: value = '0' } = s
    const target =
      averageValue === undefined
        ? { type: 'Value', value }
        : { type: 'AverageValue', averageValue, ...(/^[+-]?[0.]*\D*$/.test(value) ? {} : { value }) }
    return { describedObject: s.target, ...identifier(s), target }
  },
  external: (s: SourceV1) => ({
    ...identifier(s),
    target: present({
      type: s.targetValue === undefined ? 'AverageValue' : 'Value',
      value: s.targetValue,
      averageValue: s.targetAverageValue,
    }),
  }),
} as const

const resourceTarget = ({ targetAverageUtilization, targetAverageValue }: SourceV1) =>
  present({
    type: targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization',
    averageValue: targetAverageValue,
    averageUtilization: targetAverageUtilization,
  })

const present = (fields: Json): Json => Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined))
