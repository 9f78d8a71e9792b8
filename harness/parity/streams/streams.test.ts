import { describe, expect, it } from 'vitest'
import {
  Deployment,
  HorizontalPodAutoscaler,
  Node,
  Pod,
  ReplicaSet,
  ScaledObject,
  StatefulSet,
} from '../../../sandbox/kube/kinds.ts'
import { seconds } from '../../../sandbox/world/time.ts'
import { Records } from '../testing/records.ts'
import { alerts } from './alerts.ts'
import { evictions } from './evictions.ts'
import { faults } from './faults.ts'
import { nodes } from './nodes.ts'
import { placement } from './placement.ts'
import { replicas } from './replicas.ts'
import { restarts } from './restarts.ts'
import { rollouts } from './rollouts.ts'
import { scaling } from './scaling.ts'

/** `2×L40S`, without the digits of all the rest. */
const plain = (lines: readonly string[]) => lines.map((line) => line.replaceAll(/ #[0-9a-f]{4}/g, ''))

describe('placement', () => {
  const journal = () => new Records().node(1, 'a', 2).node(1, 'b', 2).node(1, 'c', 8).replicaSet(2, 'chat-x1', 2)

  it('names pods by their workload and nodes by what they are, whatever random names they have', () => {
    const one = journal()
      .pod(3, 'chat-x1-p', 'chat-x1')
      .object(4, Pod.id, 'default/chat-x1-p', { spec: { nodeName: 'a' } })
    const other = journal()
      .pod(3, 'chat-x1-q', 'chat-x1')
      .object(4, Pod.id, 'default/chat-x1-q', { spec: { nodeName: 'b' } })
    expect(one.read(placement)).toEqual(other.read(placement))
    expect(plain(one.read(placement))).toEqual(['4 pod of Deployment/chat@1 → 2×L40S'])
  })

  it('tells nodes apart that are not alike', () => {
    const onA = journal().pod(3, 'p', 'chat-x1', { spec: { nodeName: 'a' } })
    const onC = journal().pod(3, 'p', 'chat-x1', { spec: { nodeName: 'c' } })
    expect(onA.read(placement)).not.toEqual(onC.read(placement))
    const tainted = new Records().node(1, 'a', 2, { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } })
    const bare = new Records().node(1, 'a', 2, {
      spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
    })
    const placed = (records: Records) => records.pod(2, 'p', 'x', { spec: { nodeName: 'a' } }).read(placement)[0]!
    expect(placed(tainted)).not.toBe(placed(bare))
    expect(placed(bare)).toBe(placed(new Records().node(1, 'a', 2)))
  })

  it('says once why a pod fits nowhere, and again when the reason is another', () => {
    const pending = (message: string) => ({
      status: { conditions: [{ type: 'PodScheduled', status: 'False', message }] },
    })
    const records = journal()
      .pod(3, 'p', 'chat-x1', pending('0/3'))
      .object(4, Pod.id, 'default/p', { ...pending('0/3'), x: 1 })
    records.object(5, Pod.id, 'default/p', pending('0/2'))
    expect(records.read(placement)).toEqual(['3 pod of Deployment/chat@1: 0/3', '5 pod of Deployment/chat@1: 0/2'])
  })

  it('reads nominations', () => {
    const records = journal()
      .pod(3, 'p', 'chat-x1')
      .object(4, Pod.id, 'default/p', { status: { nominatedNodeName: 'c' } })
    expect(plain(records.read(placement))).toEqual(['4 pod of Deployment/chat@1 nominated to 8×L40S'])
  })
})

it('replicas: wanted, and each ready one as a step', () => {
  const template = { spec: { containers: [] } }
  const at = (records: Records) => records.object(1, Deployment.id, 'default/chat', { spec: { replicas: 2, template } })
  const atOnce = at(new Records()).object(9, Deployment.id, 'default/chat', { status: { readyReplicas: 2 } })
  expect(atOnce.read(replicas)).toEqual([
    '1 Deployment/chat wants 2',
    '9 Deployment/chat has 1 ready',
    '9 Deployment/chat has 2 ready',
  ])
  atOnce.object(10, Deployment.id, 'default/chat', { spec: { replicas: 0 }, status: { readyReplicas: null } })
  expect(atOnce.read(replicas).slice(3)).toEqual([
    '10 Deployment/chat wants 0',
    '10 Deployment/chat has 1 ready',
    '10 Deployment/chat has 0 ready',
  ])
})

it('rollouts: ReplicaSets in the order they come, their sizes step by step, and the end', () => {
  const template = { spec: { containers: [] } }
  const progressing = (reason: string) => ({
    status: { conditions: [{ type: 'Progressing', status: 'True', reason }] },
  })
  const records = new Records()
    .object(1, Deployment.id, 'default/chat', { spec: { replicas: 1, template } })
    .replicaSet(1, 'chat-zz', 1)
    .replicaSet(2, 'chat-aa', 0)
    .object(3, ReplicaSet.id, 'default/chat-aa', { spec: { replicas: 2 } })
    .object(4, Deployment.id, 'default/chat', progressing('ReplicaSetUpdated'))
    .object(5, Deployment.id, 'default/chat', progressing('ProgressDeadlineExceeded'))
    .object(6, StatefulSet.id, 'default/db', { spec: { template }, status: { updatedReplicas: 1 } })
  expect(records.read(rollouts)).toEqual([
    '1 Deployment/chat@1 created',
    '1 Deployment/chat@1 scaled to 1',
    '2 Deployment/chat@2 created',
    '3 Deployment/chat@2 scaled to 1',
    '3 Deployment/chat@2 scaled to 2',
    '5 Deployment/chat ProgressDeadlineExceeded',
    '6 StatefulSet/db has 1 updated',
  ])
})

it('evictions: by the reason of the pod’s status, and refusals that kubectl drain tells', () => {
  const target = (reason: string) => ({
    status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason }] },
  })
  const records = new Records()
    .node(1, 'a', 2)
    .replicaSet(1, 'chat-x', 1)
    .pod(2, 'p', 'chat-x', { spec: { nodeName: 'a' } })
  const text =
    'error when evicting pods/"p" -n "default" (will retry after 5s): Cannot evict pod as it would violate the pod\'s disruption budget.'
  records.list.push({ type: 'note', by: 'kubectl drain', about: 'Node a', text, at: seconds(3) })
  records.object(8, Pod.id, 'default/p', target('EvictionByEvictionAPI')).object(9, Pod.id, 'default/p', { x: 1 })
  expect(plain(records.read(evictions))).toEqual([
    "3 eviction of pod of Deployment/chat@1 refused: Cannot evict pod as it would violate the pod's disruption budget.",
    '8 pod of Deployment/chat@1 from 2×L40S: EvictionByEvictionAPI',
  ])
})

describe('restarts', () => {
  const journal = () => new Records().replicaSet(1, 'chat-x', 1).pod(2, 'p', 'chat-x')
  const status = (restartCount: number, terminated: object) => ({
    status: { containerStatuses: [{ name: 'main', restartCount, lastState: { terminated } }] },
  })

  it('by a probe, once for each kill', () => {
    const records = journal()
      .event(3, 'p', 'Killing', 'Container main failed liveness probe, will be restarted')
      .event(4, 'p', 'Killing', 'Container main failed liveness probe, will be restarted')
      .object(5, Pod.id, 'default/p', status(1, { exitCode: 137, reason: 'Error' }))
      .object(9, Pod.id, 'default/p', status(2, { exitCode: 137, reason: 'Error' }))
    expect(records.read(restarts)).toEqual([
      '3 main in pod of Deployment/chat@1 killed by its liveness probe',
      '5 main in pod of Deployment/chat@1 restarted: liveness probe',
      '9 main in pod of Deployment/chat@1 restarted: exit code 137',
    ])
  })

  it('by lack of memory, and each of several', () => {
    const records = journal().object(5, Pod.id, 'default/p', status(2, { exitCode: 137, reason: 'OOMKilled' }))
    expect(records.read(restarts)).toEqual(
      Array.from({ length: 2 }, () => '5 main in pod of Deployment/chat@1 restarted: out of memory'),
    )
  })
})

it('scaling: what is wanted, and conditions with their reasons', () => {
  const conditions = (status: string, reason: string) => [
    { type: 'ScalingActive', status, reason, message: `${reason} at random` },
  ]
  const records = new Records()
    .object(1, HorizontalPodAutoscaler.id, 'default/chat', {
      spec: { scaleTargetRef: { name: 'chat' } },
      status: { desiredReplicas: 1 },
    })
    .object(2, HorizontalPodAutoscaler.id, 'default/chat', {
      status: { desiredReplicas: 3, conditions: conditions('True', 'ValidMetricFound') },
    })
    .object(3, HorizontalPodAutoscaler.id, 'default/chat', {
      status: { conditions: conditions('False', 'FailedGetExternalMetric') },
    })
    .object(4, ScaledObject.id, 'default/chat', {
      spec: { scaleTargetRef: { name: 'chat' } },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    })
  expect(records.read(scaling)).toEqual([
    '1 HorizontalPodAutoscaler/chat wants 1',
    '2 HorizontalPodAutoscaler/chat wants 3',
    '2 HorizontalPodAutoscaler/chat ScalingActive=True ValidMetricFound',
    '3 HorizontalPodAutoscaler/chat ScalingActive=False FailedGetExternalMetric',
    '4 ScaledObject/chat Ready=True',
  ])
})

it('nodes: what becomes of each', () => {
  const ready = (status: string) => ({ status: { conditions: [{ type: 'Ready', status }] } })
  const taints = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }]
  const records = new Records()
    .node(1, 'a', 2)
    .object(2, Node.id, 'a', ready('True'))
    .object(3, Node.id, 'a', {
      spec: { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] },
    })
    .object(4, Node.id, 'a', { ...ready('Unknown'), spec: { unschedulable: null, taints } })
    .object(5, Node.id, 'a', { spec: { taints: [] }, status: { allocatable: { 'nvidia.com/gpu': '1' } } })
    .gone(6, Node.id, 'a')
  expect(plain(records.read(nodes))).toEqual([
    '1 node 2×L40S joins',
    '2 node 2×L40S Ready=True',
    '3 node 2×L40S cordoned',
    '4 node 2×L40S Ready=Unknown',
    '4 node 2×L40S uncordoned',
    '4 node 2×L40S tainted node.kubernetes.io/unreachable:NoExecute',
    '5 node 2×L40S no longer tainted node.kubernetes.io/unreachable:NoExecute',
    '5 node 2×L40S offers 1 GPUs',
    '6 node 2×L40S goes',
  ])
})

it('faults and alerts', () => {
  const records = new Records()
  records.list.push({ type: 'fault', fault: 'drainNode', step: 'inject', target: 'default/chat', at: seconds(2) })
  for (const [at, state] of [
    [3, 'pending'],
    [4, 'firing'],
    [9, 'inactive'],
    [10, 'pending'],
    [11, 'inactive'],
  ] as const)
    records.list.push({
      type: 'alert',
      by: 'prometheus',
      alert: 'Stuck',
      labels: { pod: 'p' },
      state,
      activeAt: 0,
      at: seconds(at),
    })
  expect(records.read(faults)).toEqual(['2 drainNode inject'])
  expect(records.read(alerts)).toEqual(['4 Stuck firing', '9 Stuck inactive'])
})

it('nothing that happened before manifests were applied is a decision', () => {
  const records = new Records()
  const [apply] = records.list.splice(0, 1)
  records.node(1, 'a', 2)
  records.list.push({ ...apply!, at: seconds(2) })
  records.node(3, 'b', 2)
  expect(plain(records.read(nodes))).toEqual(['3 node 2×L40S joins'])
})

it('nothing that happens while a trial is judged is a decision', () => {
  const records = new Records().node(1, 'a', 2).phase(2, 'judge').node(3, 'b', 2)
  expect(plain(records.read(nodes))).toEqual(['1 node 2×L40S joins'])
})
