import { describe, expect, it } from 'vitest'
import { deploymentController } from '../../controllers/deployment.ts'
import { replicaSetController } from '../../controllers/replicaset.ts'
import { deploymentOf, type TestCluster, testCluster, WEB } from '../../controllers/testkit.ts'
import { CustomResourceDefinition, Deployment, HorizontalPodAutoscaler, kindOf, Pod } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { seconds, type Us } from '../../world/time.ts'
import { MetricsError } from '../metrics-client.ts'
import { horizontalPodAutoscaler } from './controller.ts'
import { type Answers, cannedMetrics } from './oracle/metrics.ts'

const HPA = 'default/web'
const CRD = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }

/** A Deployment, its controllers and the HPA controller; what metrics say is up to the test. */
class Sea {
  readonly cluster: TestCluster
  answers: (now: Us) => Answers = () => ({})

  constructor(replicas = 2) {
    const now = () => this.cluster.clock.now
    const metrics = cannedMetrics(() => this.answers(now()), now)
    this.cluster = testCluster({
      controllers: [deploymentController, replicaSetController, horizontalPodAutoscaler({ metrics })],
    })
    this.cluster.store.create(Deployment, deploymentOf(replicas), 'test')
  }

  /** Every pod's requests in a queue. */
  queue(each: number): void {
    this.answers = (at) => ({
      'pods/queue': {
        pods: Object.fromEntries(
          this.cluster.pods().map(({ metadata }) => [metadata.name, { milli: each * 1000, at, windowUs: seconds(30) }]),
        ),
      },
    })
  }

  hpa(spec: Partial<o.HorizontalPodAutoscaler['spec']> = {}, name = 'web'): void {
    const metrics: o.MetricSpec[] = [
      { type: 'Pods', pods: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } } },
    ]
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
    const object = { scaleTargetRef, maxReplicas: 10, metrics, ...spec } as o.HorizontalPodAutoscaler['spec']
    const draft = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' as const, spec: object }
    this.cluster.store.create(HorizontalPodAutoscaler, { ...draft, metadata: { name, namespace: 'default' } }, 'test')
  }

  until(at: Us): this {
    this.cluster.clock.runUntil(at)
    return this
  }

  get replicas(): number {
    return this.cluster.store.get(Deployment, WEB).spec.replicas
  }

  get status(): o.HorizontalPodAutoscaler['status'] {
    return this.cluster.store.get(HorizontalPodAutoscaler, HPA).status
  }

  reason(type: string): string | undefined {
    return this.status.conditions?.find((c) => c.type === type)?.reason
  }
}

describe('horizontalPodAutoscaler', () => {
  it('waits one period, scales the Deployment through its scale, and pods come', () => {
    const sea = new Sea()
    sea.hpa()
    sea.queue(20)
    sea.until(seconds(14.9))
    expect([sea.replicas, sea.status]).toEqual([2, { desiredReplicas: 0 }])
    sea.until(seconds(16))
    expect(sea.replicas).toBe(4)
    expect(sea.cluster.events()).toContain('SuccessfulRescale: New size: 4; reason: pods metric queue above target')
    expect(sea.status).toMatchObject({
      ...{ currentReplicas: 2, desiredReplicas: 4, lastScaleTime: '2026-01-01T00:00:15Z' },
      currentMetrics: [{ type: 'Pods', pods: { metric: { name: 'queue' }, current: { averageValue: '20' } } }],
    })
    expect(sea.status.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
      'AbleToScale True SucceededRescale',
      'ScalingActive True ValidMetricFound',
      'ScalingLimited False DesiredWithinRange',
    ])
    sea.until(seconds(20))
    expect(sea.cluster.store.list(Pod)).toHaveLength(4)
    sea.until(seconds(31))
    expect(sea.replicas).toBe(8)
    sea.until(seconds(61))
    expect([sea.replicas, sea.reason('ScalingLimited')]).toEqual([10, 'TooManyReplicas'])
  })

  it('comes down when nothing in five minutes asked for more', () => {
    const sea = new Sea(4)
    sea.hpa()
    sea.queue(10)
    sea.until(seconds(16))
    sea.queue(2)
    sea.until(seconds(300))
    expect([sea.replicas, sea.reason('AbleToScale')]).toEqual([4, 'ScaleDownStabilized'])
    sea.until(seconds(346))
    expect(sea.replicas).toBe(1)
    expect(sea.cluster.events()).toContain('SuccessfulRescale: New size: 1; reason: All metrics below target')
  })

  it('goes as slowly as its behaviour says', () => {
    const sea = new Sea(1)
    const policies: o.ScalingPolicy[] = [{ type: 'Pods', value: 1, periodSeconds: 60 }]
    sea.hpa({ behavior: { scaleUp: { policies } } as never })
    sea.queue(100)
    const seen = [20, 50, 80, 140, 200].map((at) => sea.until(seconds(at)).replicas)
    expect(seen).toEqual([2, 2, 3, 4, 5])
    expect(sea.reason('ScalingLimited')).toBe('ScaleUpLimit')
  })

  it('stays where it is and says why when metrics fail', () => {
    const sea = new Sea(3)
    sea.hpa()
    sea.answers = () => {
      throw new MetricsError('unable to fetch metrics from custom metrics API: the server could not find queue')
    }
    sea.until(seconds(16))
    const why =
      'failed to get pods metric value: unable to get metric queue: unable to fetch metrics from custom metrics API: the server could not find queue'
    expect(sea.cluster.events()).toEqual(
      expect.arrayContaining([
        `FailedGetPodsMetric: ${why.slice('failed to get pods metric value: '.length)}`,
        `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: ${why}`,
      ]),
    )
    expect([sea.replicas, sea.reason('ScalingActive')]).toEqual([3, 'FailedGetPodsMetric'])
    expect(sea.status.currentMetrics).toEqual([{ type: '' }])
    sea.queue(20)
    expect(sea.until(seconds(31)).replicas).toBe(6)
  })

  it('does nothing for pods that two HPAs scale', () => {
    const sea = new Sea()
    sea.hpa()
    sea.hpa({}, 'other')
    sea.queue(100)
    // the first pass cannot know yet what the other one selects
    expect(sea.until(seconds(16)).replicas).toBe(4)
    sea.until(seconds(50))
    expect([sea.replicas, sea.reason('ScalingActive')]).toEqual([4, 'AmbiguousSelector'])
    expect(sea.cluster.events()).toContain(
      'AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [default/web default/other]',
    )
    sea.cluster.store.delete(HorizontalPodAutoscaler, 'default/other', 'test')
    expect(sea.until(seconds(61)).replicas).toBe(8)
  })

  it('leaves alone what was scaled to zero, and says what it cannot find', () => {
    const sea = new Sea(0)
    sea.hpa()
    sea.queue(100)
    sea.until(seconds(16))
    expect([sea.replicas, sea.reason('ScalingActive')]).toEqual([0, 'ScalingDisabled'])
    sea.cluster.store.delete(Deployment, WEB, 'test')
    sea.until(seconds(31))
    expect(sea.cluster.events()).toContain('FailedGetScale: deployments.apps "web" not found')
    expect(sea.reason('AbleToScale')).toBe('FailedGetScale')
  })

  it('scales a custom resource whose definition says where its replicas are', () => {
    const sea = new Sea()
    const { store } = sea.cluster
    const scale = {
      specReplicasPath: '.spec.size',
      statusReplicasPath: '.status.size',
      labelSelectorPath: '.status.pods',
    }
    const spec = {
      ...{ group: 'sea.example.com', scope: 'Namespaced', names: { plural: 'fleets', kind: 'Fleet' } },
      versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {}, scale } }],
    }
    store.create(
      CustomResourceDefinition,
      { ...CRD, metadata: { name: 'fleets.sea.example.com' }, spec } as never,
      'test',
    )
    const Fleet = kindOf({ apiVersion: 'sea.example.com/v1', kind: 'Fleet' })
    const metadata = { name: 'f', namespace: 'default' }
    const made = store.create(Fleet, { apiVersion: '', kind: 'Fleet', metadata, spec: { size: 2 } } as never, 'test')
    store.updateStatus(Fleet, { ...made, status: { size: 2, pods: 'fleet=f' } } as never, 'test')
    sea.answers = () => ({ 'external/lag': { series: [30_000, 12_000] } })
    sea.hpa({
      scaleTargetRef: { apiVersion: 'sea.example.com/v1alpha1', kind: 'Fleet', name: 'f' },
      metrics: [
        {
          type: 'External',
          external: { metric: { name: 'lag' }, target: { type: 'AverageValue', averageValue: '10' } },
        },
      ],
    })
    sea.until(seconds(16))
    expect(store.get(Fleet, 'default/f')).toMatchObject({ spec: { size: 4 } })
    const reason = 'external metric lag(nil) above target'
    expect(sea.cluster.events()).toContain(`SuccessfulRescale: New size: 4; reason: ${reason}`)
    expect(sea.reason('ScalingLimited')).toBe('ScaleUpLimit')
  })

  it('tries again when another has written the target meanwhile', () => {
    const sea = new Sea()
    sea.hpa()
    sea.queue(20)
    const { store, clock } = sea.cluster
    const answers = sea.answers
    sea.answers = (now) => {
      // after the scale was read, before it is written
      clock.after(0, () => store.patch(Deployment, WEB, { metadata: { labels: { touched: `${now}` } } }, 'kubectl'))
      return answers(now)
    }
    sea.until(seconds(16))
    expect([sea.replicas, store.get(Deployment, WEB).metadata.labels]).toEqual([4, { touched: `${seconds(15)}` }])
  })

  it('gives the same bytes for the same seed', () => {
    const bytes = () => {
      const sea = new Sea()
      sea.hpa()
      sea.queue(15)
      sea.until(seconds(400))
      return JSON.stringify(sea.cluster.world.journal.records)
    }
    expect(bytes()).toBe(bytes())
  })
})
