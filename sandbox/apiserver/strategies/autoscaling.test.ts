import { describe, expect, it } from 'vitest'
import { HorizontalPodAutoscaler, kindOf } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { apply } from '../apply.ts'
import { testStore } from '../testkit.ts'

const REF = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const hpa = (spec: unknown, apiVersion = 'autoscaling/v2', annotations?: Record<string, string>) => ({
  ...{ apiVersion, kind: 'HorizontalPodAutoscaler', spec },
  metadata: { name: 'web', namespace: 'default', ...(annotations ? { annotations } : {}) },
})

function created(object: ReturnType<typeof hpa>): o.HorizontalPodAutoscaler {
  return testStore().store.create(kindOf(object), object as never, 'test') as o.HorizontalPodAutoscaler
}

describe('HorizontalPodAutoscalers', () => {
  it('are completed', () => {
    const { spec, metadata, status } = created(
      hpa({ scaleTargetRef: REF, maxReplicas: 3, behavior: { scaleDown: { tolerance: '0.05' } } }),
    )
    expect([spec.minReplicas, metadata.generation, status]).toEqual([1, undefined, { desiredReplicas: 0 }])
    expect(spec.metrics).toEqual([
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ])
    expect(spec.behavior).toEqual({
      scaleUp: {
        ...{ stabilizationWindowSeconds: 0, selectPolicy: 'Max' },
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: {
        ...{ selectPolicy: 'Max', tolerance: '50m' },
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      },
    })
  })

  it('of autoscaling/v1 are kept as v2, whatever applies them again', () => {
    const metrics = JSON.stringify([
      { type: 'Pods', pods: { metricName: 'queue', targetAverageValue: '10' } },
      {
        type: 'External',
        external: { metricName: 'lag', metricSelector: { matchLabels: { a: 'b' } }, targetValue: '5' },
      },
      {
        type: 'Object',
        object: { target: { kind: 'Service', name: 's' }, metricName: 'rps', targetValue: '0', averageValue: '2' },
      },
    ])
    const annotations = {
      'autoscaling.alpha.kubernetes.io/metrics': metrics,
      'autoscaling.alpha.kubernetes.io/behavior': '{"ScaleDown":{"StabilizationWindowSeconds":60,"Policies":null}}',
    }
    const old = hpa(
      { scaleTargetRef: REF, maxReplicas: 3, targetCPUUtilizationPercentage: 70 },
      'autoscaling/v1',
      annotations,
    )
    const { store } = testStore()
    const first = apply(store, old as never, 'kubectl').object as o.HorizontalPodAutoscaler
    expect(first.apiVersion).toBe('autoscaling/v2')
    expect(Object.keys(first.metadata.annotations!)).toEqual(['kubectl.kubernetes.io/last-applied-configuration'])
    expect(first.spec.metrics).toEqual([
      { type: 'Pods', pods: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } } },
      {
        type: 'External',
        external: {
          metric: { name: 'lag', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'Value', value: '5' },
        },
      },
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'Service', name: 's' },
          metric: { name: 'rps' },
          target: { type: 'AverageValue', averageValue: '2' },
        },
      },
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
    ])
    expect(first.spec.behavior?.scaleDown.stabilizationWindowSeconds).toBe(60)
    expect(apply(store, old as never, 'kubectl').action).toBe('unchanged')
    expect(store.list(HorizontalPodAutoscaler)).toHaveLength(1)
  })

  it('of versions no server has any more are refused by name', () => {
    expect(() => created(hpa({ scaleTargetRef: REF, maxReplicas: 3 }, 'autoscaling/v2beta2'))).toThrowError(
      'no matches for kind "HorizontalPodAutoscaler" in version "autoscaling/v2beta2"',
    )
  })

  it.each<[string, unknown, string]>([
    [
      'no maximum',
      { maxReplicas: 0 },
      '[spec.maxReplicas: Required value: must be set and greater than 0, spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`]',
    ],
    [
      'zero replicas',
      { minReplicas: 0 },
      '[spec.minReplicas: Invalid value: 0: must be greater than or equal to 1, spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas]',
    ],
    [
      'a minimum above the maximum',
      { minReplicas: 9 },
      'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
    ],
    [
      'a target without a group',
      { scaleTargetRef: { kind: 'Deployment', name: 'web' } },
      'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
    ],
    [
      'a metric of two sources',
      {
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 1 } },
            pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: '1' } },
          },
        ],
      },
      'spec.metrics[0].pods: Forbidden: must populate the given metric source only',
    ],
    [
      'a target of nothing',
      { metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization' } } }] },
      'spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
    ],
    [
      'a value that is not positive',
      { metrics: [{ type: 'External', external: { metric: { name: 'x' }, target: { type: 'Value', value: '0' } } }] },
      'spec.metrics[0].external.target.value: Invalid value: "0": must be positive',
    ],
    [
      'a window too long',
      { behavior: { scaleUp: { stabilizationWindowSeconds: 3601 } } },
      'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
    ],
    [
      'no policies',
      { behavior: { scaleUp: { policies: [] } } },
      'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
    ],
  ])('are refused with %s', (_, spec, cause) => {
    const object = hpa({ scaleTargetRef: REF, maxReplicas: 3, ...(spec as object) })
    expect(() => created(object)).toThrowError(`HorizontalPodAutoscaler.autoscaling "web" is invalid: ${cause}`)
  })
})
