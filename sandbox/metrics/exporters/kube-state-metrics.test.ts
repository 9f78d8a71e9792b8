import { describe, expect, it } from 'vitest'
import { HorizontalPodAutoscaler, Pod } from '../../kube/kinds.ts'
import type { Container, Pod as PodObject } from '../../kube/objects.ts'
import type { ProgramContext } from '../../nodes/program.ts'
import { randomStream } from '../../world/random.ts'
import { scrapeWorld } from '../scrape/test-kit.ts'
import {
  KubeStateMetrics,
  kubeStateMetricNames,
  kubeStateMetricsArguments,
  kubeStateMetricsProgram,
} from './kube-state-metrics.ts'

/** Samples of a family as `labels value`, in order. */
function lines(metrics: KubeStateMetrics, name: string): string[] {
  return metrics
    .families(new Set([name]))
    .flatMap(({ samples }) => samples.map((s) => `${s.labels.map(([k, v]) => `${k}=${v}`).join(',')} ${s.value}`))
}

describe('pods', () => {
  const world = () => {
    const w = scrapeWorld()
    w.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'a',
        namespace: 'default',
        uid: 'u1',
        labels: { app: 'web', 'app.kubernetes.io/name': 'x' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'r', controller: true }],
      },
      spec: {
        nodeName: 'n1',
        containers: [
          {
            name: 'main',
            image: 'x',
            resources: { requests: { cpu: '1500m', memory: '2Gi' }, limits: { 'nvidia.com/gpu': '2' } },
          },
        ],
      },
    })
    const pod = w.store.get(Pod, 'default/a')
    const status: PodObject['status'] = {
      ...pod.status,
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'PodScheduled', status: 'True' },
      ],
      containerStatuses: [
        {
          name: 'main',
          image: 'x',
          imageID: 'x',
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
        },
      ],
    }
    w.store.updateStatus(Pod, { ...pod, status }, 'test')
    return { w, metrics: new KubeStateMetrics(w.kube), uid: pod.metadata.uid }
  }

  it('have the families that rules of platforms use', () => {
    const { metrics, uid } = world()
    const base = `namespace=default`
    expect(lines(metrics, 'kube_pod_status_phase').filter((l) => l.endsWith(' 1'))).toEqual([
      `${base},phase=Running,pod=a,uid=${uid} 1`,
    ])
    expect(lines(metrics, 'kube_pod_status_phase')).toHaveLength(5)
    expect(lines(metrics, 'kube_pod_status_ready')).toEqual([
      `condition=true,${base},pod=a,uid=${uid} 0`,
      `condition=false,${base},pod=a,uid=${uid} 1`,
      `condition=unknown,${base},pod=a,uid=${uid} 0`,
    ])
    expect(lines(metrics, 'kube_pod_container_status_restarts_total')).toEqual([
      `container=main,${base},pod=a,uid=${uid} 3`,
    ])
    expect(lines(metrics, 'kube_pod_container_status_waiting_reason')).toEqual([
      `container=main,${base},pod=a,reason=CrashLoopBackOff,uid=${uid} 1`,
    ])
    expect(lines(metrics, 'kube_pod_container_status_last_terminated_reason')[0]).toContain('reason=OOMKilled')
    expect(lines(metrics, 'kube_pod_container_status_terminated_reason')).toEqual([])
    expect(lines(metrics, 'kube_pod_owner')).toEqual([
      `${base},owner_is_controller=true,owner_kind=ReplicaSet,owner_name=rs,pod=a,uid=${uid} 1`,
    ])
    expect(lines(metrics, 'kube_pod_info')[0]).toContain('created_by_kind=ReplicaSet,created_by_name=rs')
    expect(lines(metrics, 'kube_pod_status_unschedulable')).toEqual([])
  })

  it('show resources in cores, bytes and whole devices', () => {
    const { metrics, uid } = world()
    expect(lines(metrics, 'kube_pod_container_resource_requests').filter((l) => !l.includes('nvidia'))).toEqual([
      `container=main,namespace=default,node=n1,pod=a,resource=cpu,uid=${uid},unit=core 1.5`,
      `container=main,namespace=default,node=n1,pod=a,resource=memory,uid=${uid},unit=byte 2147483648`,
    ])
    expect(lines(metrics, 'kube_pod_container_resource_limits')).toEqual([
      `container=main,namespace=default,node=n1,pod=a,resource=nvidia_com_gpu,uid=${uid},unit=integer 2`,
    ])
  })

  it('show labels only that are allowed', () => {
    const { w, metrics } = world()
    expect(lines(metrics, 'kube_pod_labels')).toEqual([])
    const some = new KubeStateMetrics(w.kube, { labels: { pods: ['app.kubernetes.io/name'] } })
    expect(lines(some, 'kube_pod_labels')[0]).toMatch(/^label_app_kubernetes_io_name=x,namespace=default,pod=a,uid=/)
  })

  it('follow changes and go with their object; what did not change is not made anew', () => {
    const { w, metrics } = world()
    const labels = () => metrics.families(new Set(['kube_pod_owner']))[0]!.samples[0]?.labels
    const before = labels()
    w.pod('b', '10.0.0.2')
    w.at(1)
    expect(lines(metrics, 'kube_pod_owner')).toHaveLength(2)
    expect(labels()).toBe(before)
    w.store.delete(Pod, 'default/a', 'test', { gracePeriodSeconds: 0 })
    w.at(2)
    expect(lines(metrics, 'kube_pod_owner')).toHaveLength(1)
  })
})

it('workloads, autoscalers and nodes have their counts and conditions', () => {
  const w = scrapeWorld()
  const metrics = new KubeStateMetrics(w.kube)
  const labels = { matchLabels: { app: 'x' } }
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'x' }] } }
  w.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'default' },
    spec: {
      replicas: 10,
      selector: labels,
      template,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    },
  })
  expect(lines(metrics, 'kube_deployment_spec_replicas')).toEqual(['deployment=d,namespace=default 10'])
  expect(lines(metrics, 'kube_deployment_status_replicas_available')).toEqual(['deployment=d,namespace=default 0'])
  // 25 % of 10: up for surge, down for unavailable
  expect(lines(metrics, 'kube_deployment_spec_strategy_rollingupdate_max_surge')[0]).toMatch(/ 3$/)
  expect(lines(metrics, 'kube_deployment_spec_strategy_rollingupdate_max_unavailable')[0]).toMatch(/ 2$/)
  w.create({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
        { type: 'Pods', pods: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '1500m' } } },
        { type: 'External', external: { metric: { name: 'e' }, target: { type: 'Value', value: '30' } } },
      ],
    },
  })
  w.at(1)
  const hpa = w.store.get(HorizontalPodAutoscaler, 'default/h')
  w.store.updateStatus(
    HorizontalPodAutoscaler,
    {
      ...hpa,
      status: { currentReplicas: 2, desiredReplicas: 4, conditions: [{ type: 'ScalingLimited', status: 'True' }] },
    },
    'test',
  )
  w.at(2)
  const name = 'horizontalpodautoscaler=h'
  // 1500m is no whole number: it has no sample
  expect(lines(metrics, 'kube_horizontalpodautoscaler_spec_target_metric')).toEqual([
    `${name},metric_name=cpu,metric_target_type=utilization,namespace=default 70`,
    `${name},metric_name=e,metric_target_type=value,namespace=default 30`,
  ])
  expect(lines(metrics, 'kube_horizontalpodautoscaler_status_desired_replicas')).toEqual([
    `${name},namespace=default 4`,
  ])
  expect(lines(metrics, 'kube_horizontalpodautoscaler_status_condition')[0]).toBe(
    `condition=ScalingLimited,${name},namespace=default,status=true 1`,
  )
  w.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1' },
    spec: { unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] },
    status: {
      capacity: { cpu: '64', 'nvidia.com/gpu': '8' },
      allocatable: { cpu: '63' },
      conditions: [{ type: 'Ready', status: 'Unknown' }],
    },
  })
  w.at(3)
  expect(lines(metrics, 'kube_node_spec_unschedulable')).toEqual(['node=n1 1'])
  expect(
    lines(metrics, 'kube_node_spec_taint').some((l) => l.startsWith('effect=NoSchedule,key=k,node=n1,value=')),
  ).toBe(true)
  expect(lines(metrics, 'kube_node_status_condition')).toContain('condition=Ready,node=n1,status=unknown 1')
  expect(lines(metrics, 'kube_node_status_capacity')).toContain('node=n1,resource=nvidia_com_gpu,unit=integer 8')
})

it('knows its names, reads its arguments and serves them as a program', () => {
  expect(kubeStateMetricNames.has('kube_poddisruptionbudget_status_pod_disruptions_allowed')).toBe(true)
  expect(kubeStateMetricsArguments(['--port=9000', '--metric-labels-allowlist=pods=[app,team],nodes=[*]'])).toEqual({
    port: 9000,
    labels: { pods: ['app', 'team'], nodes: ['*'] },
  })
  const w = scrapeWorld()
  w.pod('a', '10.0.0.1')
  const context: ProgramContext = {
    clock: w.clock,
    random: randomStream(1, 'x'),
    pod: {} as PodObject,
    container: { name: 'ksm', args: ['--port=9000'] } as Container,
    devices: [],
    log: () => {},
    exit: () => {},
  }
  const running = kubeStateMetricsProgram(() => w.kube).start(context)
  expect(running.exposition!(9000, '/metrics')).toBeUndefined()
  w.at(2)
  expect(running.exposition!(9000, '/metrics', new Set(['kube_pod_info']))![0]!.samples).toHaveLength(1)
  expect(running.exposition!(8080, '/metrics')).toBeUndefined()
})
