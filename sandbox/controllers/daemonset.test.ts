import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addReadyNode } from '../apiserver/testkit.ts'
import { ControllerRevision, DaemonSet, keyOf, Node, Pod } from '../kube/kinds.ts'
import { defaultProfile } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { isReady } from '../kube/pods.ts'
import { runScheduler } from '../scheduler/scheduler.ts'
import { ms, seconds, toRfc3339 } from '../world/time.ts'
import { daemonSetController } from './daemonset.ts'
import { podTemplate, settle, type TestCluster, testCluster } from './testkit.ts'

const KEY = 'default/agent'

type Spec = Partial<Omit<o.DaemonSet['spec'], 'template'>> & { image?: string; pod?: Partial<o.PodSpec> }

const setOf = ({ image = 'v1', pod = {}, ...spec }: Spec = {}): o.DaemonSet => {
  const template = podTemplate({ app: 'agent' }, image)
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: { ...template, spec: { ...template.spec, ...pod } },
      ...spec,
    },
  } as o.DaemonSet
}

const nodeOf = (name: string, spec: Partial<o.Node['spec']> = {}, labels: Record<string, string> = {}): o.Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec,
    status: { capacity: { cpu: '8', memory: '32Gi', pods: '110' } },
  }) as unknown as o.Node

/** A scheduler, and kubelets that have a pod ready in a second (`broken` images never) and gone in one. */
function cluster(set: o.DaemonSet, nodes: readonly o.Node[], options: { seed?: number } = {}): TestCluster {
  const made = testCluster({
    controllers: [daemonSetController()],
    kubelet: false,
    profile: defaultProfile,
    ...options,
  })
  const { store, clock, world } = made
  store.delete(Node, 'n1', 'test')
  for (const node of nodes) addReadyNode(store, node)
  runScheduler({ world, kube: made.kube('kube-scheduler') })
  const started = new Set<string>()
  store.watch(Pod, {}, ({ verb, object }) => {
    if (verb === 'DELETED') return
    const { uid, deletionTimestamp } = object.metadata
    const later = (act: (pod: o.Pod) => void) =>
      clock.after(seconds(1), () => {
        const pod = store.peek(Pod, keyOf(object))
        if (pod?.metadata.uid === uid) act(pod)
      })
    if (deletionTimestamp) later((pod) => store.delete(Pod, keyOf(pod), 'kubelet', { gracePeriodSeconds: 0 }))
    else if (object.spec.nodeName && !started.has(uid) && object.spec.containers[0]!.image !== 'broken') {
      started.add(uid)
      later((pod) => store.updateStatus(Pod, ready(pod, clock.now), 'kubelet'))
    }
  })
  store.create(DaemonSet, set, 'kubectl')
  return made
}

const ready = (pod: o.Pod, now: number): o.Pod => ({
  ...pod,
  status: {
    ...pod.status,
    phase: 'Running',
    conditions: [
      ...(pod.status.conditions ?? []),
      { type: 'Ready', status: 'True', lastTransitionTime: toRfc3339(now) },
    ],
  },
})

const where = ({ store }: TestCluster) =>
  store
    .list(Pod)
    .map(({ spec }) => `${spec.nodeName} ${spec.containers[0]!.image}`)
    .sort()
const status = ({ store }: TestCluster) => store.get(DaemonSet, KEY).status
const setImage = ({ store }: TestCluster, image: string) =>
  store.patch(DaemonSet, KEY, { spec: { template: podTemplate({ app: 'agent' }, image) } }, 'kubectl')
const taint = (effect: o.Taint['effect']): o.Taint => ({ key: 'gpu', value: 'yes', effect })

describe('a DaemonSet', () => {
  it('has a pod on every node it is for, placed by the scheduler', () => {
    const gpu = { pool: 'gpu' }
    const c = cluster(setOf({ pod: { nodeSelector: gpu } }), [nodeOf('a', {}, gpu), nodeOf('b', {}, gpu), nodeOf('c')])
    settle(c)
    expect(where(c)).toEqual(['a v1', 'b v1'])
    const [pod] = c.pods()
    expect(pod!.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual({
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [pod!.spec.nodeName] }] }],
    })
    expect(status(c)).toMatchObject({ desiredNumberScheduled: 2, numberAvailable: 2, updatedNumberScheduled: 2 })
    c.store.patch(Node, 'c', { metadata: { labels: gpu } }, 'kubectl')
    c.store.patch(Node, 'a', { metadata: { labels: { pool: 'cpu' } } }, 'kubectl')
    settle(c)
    expect(where(c)).toEqual(['b v1', 'c v1'])
  })

  it('goes onto cordoned, lost and pressed nodes, and not onto ones whose taints it does not tolerate', () => {
    const nodes = [
      nodeOf('cordoned', {
        unschedulable: true,
        taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
      }),
      nodeOf('lost', { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] }),
      nodeOf('tainted', { taints: [taint('NoSchedule')] }),
    ]
    const c = cluster(setOf(), nodes)
    settle(c)
    expect(where(c)).toEqual(['cordoned v1', 'lost v1'])
  })

  it('stays where a taint comes that only keeps new pods away, and leaves one that drives pods out', () => {
    const c = cluster(setOf(), [nodeOf('a'), nodeOf('b')])
    settle(c)
    c.store.patch(Node, 'a', { spec: { taints: [taint('NoSchedule')] } }, 'kubectl')
    c.store.patch(Node, 'b', { spec: { taints: [taint('NoExecute')] } }, 'kubectl')
    settle(c)
    expect(where(c)).toEqual(['a v1'])
    expect(status(c)).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 1 })
  })

  it('replaces a pod that has failed, and says so', () => {
    const c = cluster(setOf(), [nodeOf('a')])
    settle(c)
    const [pod] = c.pods()
    c.store.updateStatus(Pod, { ...pod!, status: { ...pod!.status, phase: 'Failed' } }, 'kubelet')
    settle(c)
    expect(c.pods().map(({ metadata }) => metadata.uid)).not.toContain(pod!.metadata.uid)
    expect(c.pods()).toHaveLength(1)
    expect(c.events()).toContain(
      `FailedDaemonPod: Found failed daemon pod default/${pod!.metadata.name} on node a, will try to kill it`,
    )
  })
})

describe('a new template', () => {
  const nodes = ['a', 'b', 'c', 'd'].map((name) => nodeOf(name))
  /** The fewest ready pods and the most pods of any moment of the next minute. */
  const extremes = (c: TestCluster) => {
    let [least, most] = [99, 0]
    for (let i = 0; i < 600; i++) {
      settle(c, ms(100))
      const alive = c.pods().filter((pod) => !pod.metadata.deletionTimestamp)
      least = Math.min(least, alive.filter(isReady).length)
      most = Math.max(most, alive.length)
    }
    return [least, most]
  }

  it('goes node by node, as many at a time as may be unavailable', () => {
    const c = cluster(setOf(), nodes)
    settle(c)
    setImage(c, 'v2')
    expect(extremes(c)).toEqual([3, 4])
    expect(where(c)).toEqual(['a v2', 'b v2', 'c v2', 'd v2'])
    expect(c.store.list(ControllerRevision)).toHaveLength(2)
    expect(status(c)).toMatchObject({ updatedNumberScheduled: 4, numberAvailable: 4 })
  })

  it('comes up beside the old pod where the set may surge', () => {
    const rollingUpdate = { maxUnavailable: 0, maxSurge: '50%' }
    const c = cluster(setOf({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } }), nodes)
    settle(c)
    setImage(c, 'v2')
    expect(extremes(c)).toEqual([4, 6])
    expect(where(c)).toEqual(['a v2', 'b v2', 'c v2', 'd v2'])
  })

  it('that is broken stops after one node, and goes on once it is mended', () => {
    const c = cluster(setOf(), nodes)
    settle(c)
    setImage(c, 'broken')
    settle(c)
    expect(where(c).filter((text) => text.endsWith('broken'))).toHaveLength(1)
    setImage(c, 'v3')
    settle(c)
    expect(where(c)).toEqual(['a v3', 'b v3', 'c v3', 'd v3'])
  })

  it('waits for pods to be deleted by hand under OnDelete', () => {
    const c = cluster(setOf({ updateStrategy: { type: 'OnDelete' } }), nodes.slice(0, 2))
    settle(c)
    setImage(c, 'v2')
    settle(c)
    expect(where(c)).toEqual(['a v1', 'b v1'])
    c.store.delete(Pod, keyOf(c.pods().find(({ spec }) => spec.nodeName === 'a')!), 'kubectl')
    settle(c)
    expect(where(c)).toEqual(['a v2', 'b v1'])
  })
})

it('comes to one pod a node, whatever happens on the way, and never has two for one beyond a surge', () => {
  const step = fc.record({
    image: fc.constantFrom('v1', 'v2', 'v3'),
    kill: fc.nat(3),
    after: fc.integer({ min: 1, max: 40 }),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 5 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 99 }),
      (steps, surge, seed) => {
        const rollingUpdate = surge ? { maxSurge: 1, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: 1 }
        const nodes = ['a', 'b', 'c'].map((name) => nodeOf(name))
        const c = cluster(setOf({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } }), nodes, { seed })
        for (const { image, kill, after } of steps) {
          setImage(c, image)
          const doomed = c.pods()[kill]
          if (doomed) c.store.delete(Pod, keyOf(doomed), 'kubectl')
          for (let i = 0; i < after; i++) {
            settle(c, ms(100))
            const alive = c.pods().filter(({ metadata, spec }) => !metadata.deletionTimestamp && spec.nodeName)
            for (const name of ['a', 'b', 'c'])
              expect(alive.filter(({ spec }) => spec.nodeName === name).length).toBeLessThanOrEqual(surge ? 2 : 1)
          }
        }
        settle(c, seconds(120))
        const { spec } = c.store.get(DaemonSet, KEY)
        const image = spec.template.spec.containers[0]!.image
        expect(where(c)).toEqual(['a', 'b', 'c'].map((name) => `${name} ${image}`))
      },
    ),
    { numRuns: 15 },
  )
})
