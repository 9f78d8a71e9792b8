import { expect, it } from 'vitest'
import type * as o from '../kube/objects.ts'
import { minutes, seconds, toRfc3339 } from '../world/time.ts'
import { rankForDeletion } from './deletion-rank.ts'

interface Traits {
  node?: string
  phase?: o.PodStatus['phase']
  readyAt?: number
  cost?: string
  restarts?: number
  sidecarRestarts?: number
  createdAt?: number
  uid?: string
}

function podOf(name: string, traits: Traits = {}): o.Pod {
  const { node = name, phase = 'Running', cost, restarts = 0, sidecarRestarts = 0, createdAt = 0, uid = name } = traits
  const readyAt = 'readyAt' in traits ? traits.readyAt : 0
  const ready = readyAt === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: toRfc3339(readyAt) }]
  return {
    metadata: {
      name,
      uid,
      creationTimestamp: toRfc3339(createdAt),
      ...(cost ? { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } : {}),
    },
    spec: { nodeName: node, initContainers: [{ name: 'proxy', restartPolicy: 'Always' }], containers: [] },
    status: {
      phase,
      conditions: ready,
      containerStatuses: [{ name: 'main', restartCount: restarts }],
      initContainerStatuses: [{ name: 'proxy', restartCount: sidecarRestarts }],
    },
  } as unknown as o.Pod
}

const now = minutes(60)

it.each<[string, o.Pod[], o.Pod[]?]>([
  ['without a node before with one', [podOf('a', { node: '' }), podOf('b')]],
  [
    'pending before unknown before running',
    [podOf('a', { phase: 'Pending' }), podOf('b', { phase: 'Unknown' }), podOf('c')],
  ],
  ['not ready before ready', [podOf('b', { readyAt: undefined }), podOf('a')]],
  ['cheap before dear', [podOf('c', { cost: '-5' }), podOf('b', { cost: '+9' }), podOf('a', { cost: '3' })]],
  [
    'doubled up on a node before alone',
    [podOf('b', { node: 'n1' }), podOf('a', { node: 'n2' })],
    [podOf('b', { node: 'n1' }), podOf('a', { node: 'n2' }), podOf('x', { node: 'n1' })],
  ],
  [
    'lately ready before long ready',
    [podOf('b', { readyAt: now - seconds(10) }), podOf('a', { readyAt: now - minutes(40) })],
  ],
  [
    'by uid when ready for about as long',
    [podOf('b', { readyAt: now - seconds(1100), uid: '1' }), podOf('a', { readyAt: now - seconds(1200), uid: '2' })],
  ],
  ['often restarted before seldom', [podOf('b', { restarts: 4 }), podOf('a', { restarts: 1 })]],
  [
    'sidecars that restarted break the tie',
    [podOf('b', { restarts: 1, sidecarRestarts: 2 }), podOf('a', { restarts: 1 })],
  ],
  ['young before old', [podOf('b', { createdAt: now - seconds(5) }), podOf('a', { createdAt: now - minutes(30) })]],
])('gives up pods %s', (_, expected, related) => {
  for (const pods of [expected, [...expected].reverse()])
    expect(rankForDeletion(pods, related ?? expected, now).map((pod) => pod.metadata.name)).toEqual(
      expected.map((pod) => pod.metadata.name),
    )
})
