import { ApiError } from '../../kube/errors.ts'
import type * as o from '../../kube/objects.ts'
import { formatQuantity, parseQuantity } from '../../kube/quantity.ts'
import type { Strategy } from '../strategy.ts'
import * as validation from '../validation/autoscaling.ts'
import { fromV1 } from './autoscaling-v1.ts'
import { each, fill, within } from './fill.ts'

type Hpa = o.HorizontalPodAutoscaler
type Rules = o.ScalingRules

const STORED = 'autoscaling/v2'

/**
 * HorizontalPodAutoscalers are stored as autoscaling/v2; autoscaling/v1 is converted, other versions are refused as not served.
 * HPAScaleToZero is off, as it is by default. Follows pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go.
 */
export const horizontalPodAutoscalerStrategy: Strategy<Hpa> = {
  storedAs: STORED,
  hasStatus: true,
  hasGeneration: false,
  default: (hpa) => defaultHorizontalPodAutoscaler(inStoredVersion(hpa)),
  prepareForCreate: (hpa) => ({ ...hpa, status: { desiredReplicas: 0 } }),
  validate: validation.horizontalPodAutoscaler,
  validateUpdate: validation.horizontalPodAutoscalerUpdate,
  validateStatusUpdate: validation.horizontalPodAutoscalerStatus,
}

/** The same object in autoscaling/v2. Throws NotFound for a version the API server does not serve. */
export function inStoredVersion(hpa: Hpa): Hpa {
  const { apiVersion } = hpa
  if (apiVersion === STORED) return hpa
  if (apiVersion === 'autoscaling/v1') return fromV1(hpa)
  const message = `no matches for kind "HorizontalPodAutoscaler" in version "${apiVersion}"`
  throw new ApiError(404, 'NotFound', `${message}. Write it as autoscaling/v2`)
}

/** Where no metric is given: 80 % of the cpu that is requested. */
const DEFAULT_METRICS: o.MetricSpec[] = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
]

const SCALE_UP: Rules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}

const SCALE_DOWN: Rules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}

/** Follows pkg/apis/autoscaling/v2/defaults.go. */
function defaultHorizontalPodAutoscaler(hpa: Hpa): Hpa {
  return within(hpa, 'spec', (spec) => {
    const { metrics } = spec
    let out = fill(spec, { minReplicas: 1 })
    if (!metrics || metrics.length === 0) out = { ...out, metrics: DEFAULT_METRICS }
    out = within(out, 'metrics', (list) => each(list, canonicalMetric))
    return within(out, 'behavior', (behavior) => {
      const filled = fill(behavior, { scaleUp: {} as Rules, scaleDown: {} as Rules })
      const up = within(filled, 'scaleUp', (rules) => canonicalRules(fill(rules, SCALE_UP)))
      return within(up, 'scaleDown', (rules) => canonicalRules(fill(rules, SCALE_DOWN)))
    })
  })
}

const SOURCES = ['resource', 'containerResource', 'pods', 'object', 'external'] as const

function canonicalMetric(metric: o.MetricSpec): o.MetricSpec {
  let out = metric
  for (const source of SOURCES) out = within(out, source, (value) => canonicalTarget(value as never))
  return out
}

const canonicalTarget = (source: { target: o.MetricTarget }) =>
  within(source, 'target', (target) => within(within(target, 'value', canonical), 'averageValue', canonical)) as never

const canonicalRules = (rules: Rules): Rules => within(rules, 'tolerance', canonical)

const canonical = (quantity: string): string => formatQuantity(parseQuantity(String(quantity)))
