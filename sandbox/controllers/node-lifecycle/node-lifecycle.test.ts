import { describe, expect, it } from 'vitest'
import { Node, Pod } from '../../kube/kinds.ts'
import { defaultProfile } from '../../kube/lag.ts'
import { condition } from '../../kube/pods.ts'
import { cloudNodeLifecycleController } from './cloud.ts'
import { nodeCluster, readyPods, taintsOf } from './testkit.ts'

const UNREACHABLE = ['NoSchedule node.kubernetes.io/unreachable', 'NoExecute node.kubernetes.io/unreachable']

describe('a node that goes silent', () => {
  it('is Unknown after 50 s of silence, tainted, and its pods are not ready', () => {
    const c = nodeCluster({ nodes: 3, profile: defaultProfile })
    c.deploy(3)
    c.at(60)
    expect(readyPods(c.podsOn(0))).toHaveLength(1)
    c.nodes[0]!.powerOff()
    c.at(60 + 38)
    expect(c.ready(0)?.status).toBe('True')
    c.at(60 + 66)
    expect(c.ready(0)).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    })
    expect(condition(c.node(0), 'MemoryPressure')?.status).toBe('Unknown')
    expect(taintsOf(c.node(0)).sort()).toEqual([...UNREACHABLE].sort())
    expect(c.node(0).spec.taints?.every((t) => t.timeAdded)).toBe(true)
    expect(readyPods(c.podsOn(0))).toEqual([])
    expect(c.podsOn(0)[0]?.status.phase).toBe('Running')
    expect(c.events('NodeNotReady').map((e) => `${e.level} ${e.kind} ${e.message}`)).toEqual([
      'Normal Node Node node-0 status is now: NodeNotReady',
      'Warning Pod Node is not ready',
    ])
  })

  it('loses its pods when they no longer tolerate it; the machine cannot end them', () => {
    const c = nodeCluster({ nodes: 2 })
    c.deploy(2)
    c.at(60)
    const [lost] = c.podsOn(0)
    c.nodes[0]!.powerOff()
    c.at(60 + 40 + 295)
    expect(lost && c.pod(`default/${lost.metadata.name}`).metadata.deletionTimestamp).toBeUndefined()
    c.at(60 + 66 + 310)
    const pod = c.pod(`default/${lost!.metadata.name}`)
    expect(pod.metadata.deletionTimestamp).toBeDefined()
    expect(condition(pod, 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    })
    expect(c.events('TaintManagerEviction').map((e) => e.message)).toEqual([
      `Marking for deletion Pod default/${lost!.metadata.name}`,
    ])
    expect(readyPods(c.podsOn(1))).toHaveLength(2)
    c.at(3600)
    expect(c.podsOn(0)).toHaveLength(1)
  })

  it('ends pods that tolerate nothing at once, and spares those that tolerate for ever', () => {
    const c = nodeCluster({ nodes: 1 })
    const always = [{ operator: 'Exists' as const }]
    c.deploy(1, 0, { tolerations: always })
    c.at(30)
    c.store.patch(Node, 'node-0', { spec: { taints: [{ key: 'maintenance', effect: 'NoExecute' }] } }, 'kubectl')
    c.at(60)
    expect(readyPods(c.pods())).toHaveLength(1)
    const plain = nodeCluster({ nodes: 1 })
    plain.deploy(1)
    plain.at(30)
    const [before] = plain.pods()
    plain.store.patch(Node, 'node-0', { spec: { taints: [{ key: 'maintenance', effect: 'NoExecute' }] } }, 'kubectl')
    plain.at(31)
    expect(plain.pod(`default/${before!.metadata.name}`).metadata.deletionTimestamp).toBeDefined()
  })

  it('keeps its pods when it comes back in time, and says that their deletion is off', () => {
    const c = nodeCluster({ nodes: 2 })
    c.deploy(2)
    c.at(60)
    const heal = c.nodes[0]!.disconnect()
    c.at(200)
    expect(c.ready(0)?.status).toBe('Unknown')
    heal()
    c.at(230)
    expect(c.ready(0)?.status).toBe('True')
    expect(taintsOf(c.node(0))).toEqual([])
    expect(readyPods(c.pods())).toHaveLength(2)
    expect(c.events('TaintManagerEviction').map((e) => e.message)).toEqual([
      expect.stringMatching(/^Cancelling deletion of Pod default\/web-/),
    ])
    expect(c.pods().every((pod) => pod.status.containerStatuses![0]!.restartCount === 0)).toBe(true)
  })

  it('gives its pods up when it was deleted, and to the out-of-service taint', () => {
    const c = nodeCluster({ nodes: 2 })
    c.deploy(2)
    c.at(60)
    c.nodes[0]!.powerOff()
    c.at(60 + 66 + 310)
    const taints = [...(c.node(0).spec.taints ?? []), { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }]
    c.store.patch(Node, 'node-0', { spec: { taints } }, 'kubectl')
    c.at(60 + 66 + 340)
    expect(c.podsOn(0)).toEqual([])
  })

  it('is deleted by the cloud when the machine is gone, marked when it is stopped', () => {
    const states = new Map<string, 'stopped' | 'gone'>([['node-0', 'stopped']])
    const instances = {
      state: ({ metadata }: { metadata: { name: string } }) => states.get(metadata.name) ?? 'running',
    }
    const cloud = cloudNodeLifecycleController({ instances } as Parameters<typeof cloudNodeLifecycleController>[0])
    const c = nodeCluster({ nodes: 2, controllers: [cloud] })
    c.deploy(2)
    c.at(60)
    expect(taintsOf(c.node(0))).toEqual([])
    c.nodes[0]!.powerOff()
    c.at(140)
    expect(taintsOf(c.node(0))).toContain('NoSchedule node.cloudprovider.kubernetes.io/shutdown')
    states.set('node-0', 'gone')
    c.at(150)
    expect(c.store.peek(Node, 'node-0')).toBeUndefined()
    expect(c.events('DeletingNode')[0]?.message).toBe(
      'Deleting node node-0 because it does not exist in the cloud provider',
    )
    expect(c.events('RemovingNode')[0]?.message).toBe('Node node-0 event: Removing Node node-0 from Controller')
    c.at(240)
    expect(c.podsOn(0)).toEqual([])
    expect(readyPods(c.podsOn(1))).toHaveLength(2)
  })

  it('says of a node whose kubelet never came that it never posted a status', () => {
    const c = nodeCluster({ nodes: 1 })
    c.store.create(Node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'mute' }, spec: {} }, 'kubectl')
    c.at(62)
    expect(condition(c.store.get(Node, 'mute'), 'Ready')).toBeUndefined()
    c.at(72)
    expect(condition(c.store.get(Node, 'mute'), 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
    })
  })

  it('marks a pod that comes to it afterwards', () => {
    const c = nodeCluster({ nodes: 1 })
    c.nodes[0]!.powerOff()
    c.at(100)
    const spec = { nodeName: 'node-0', containers: [{ name: 'a', image: 'x' }] }
    const metadata = { name: 'late', namespace: 'default' }
    c.store.create(Pod, { apiVersion: 'v1', kind: 'Pod', metadata, spec } as never, 'kubectl')
    c.at(101)
    // no Ready condition yet: there is nothing to take back
    expect(condition(c.pod('default/late'), 'Ready')).toBeUndefined()
  })
})

describe('cordoned nodes', () => {
  it('get the taint of unschedulable ones, and lose it', () => {
    const c = nodeCluster({ nodes: 1 })
    c.store.patch(Node, 'node-0', { spec: { unschedulable: true } }, 'kubectl')
    c.at(6)
    expect(taintsOf(c.node(0))).toEqual(['NoSchedule node.kubernetes.io/unschedulable'])
    c.store.patch(Node, 'node-0', { spec: { unschedulable: null } }, 'kubectl')
    c.at(7)
    expect(taintsOf(c.node(0))).toEqual([])
  })
})

describe('when many nodes fail', () => {
  const down = (c: ReturnType<typeof nodeCluster>) =>
    c.nodes.filter((_, i) => taintsOf(c.node(i)).includes('NoExecute node.kubernetes.io/unreachable')).length

  it('taints one in ten seconds in a zone', () => {
    const c = nodeCluster({ nodes: 12 })
    c.at(60)
    for (const node of c.nodes.slice(0, 4)) node.powerOff()
    c.at(128)
    const early = down(c)
    c.at(138)
    expect(early).toBeLessThan(4)
    expect(down(c)).toBe(early + 1)
    c.at(180)
    expect(down(c)).toBe(4)
  })

  it('stops in a small zone of which more than half is gone, and goes on in a large one, slower', () => {
    const small = nodeCluster({ nodes: 6 })
    small.at(60)
    for (const node of small.nodes.slice(0, 5)) node.powerOff()
    small.at(400)
    const stopped = down(small)
    small.at(900)
    expect(down(small)).toBe(stopped)
    expect(stopped).toBeLessThan(5)
    const large = nodeCluster({ nodes: 60 })
    large.at(60)
    for (const node of large.nodes.slice(0, 50)) node.powerOff()
    large.at(400)
    const some = down(large)
    large.at(700)
    expect(down(large) - some).toBe(3)
  })

  it('takes all taints back when no node is ready, and starts over when one is', () => {
    const c = nodeCluster({ nodes: 3 })
    c.deploy(3)
    c.at(60)
    const heals = c.nodes.map((node) => node.disconnect())
    c.at(400)
    expect(c.nodes.map((_, i) => c.ready(i)?.status)).toEqual(['Unknown', 'Unknown', 'Unknown'])
    expect(down(c)).toBe(0)
    c.at(1000)
    expect(c.pods().some((pod) => pod.metadata.deletionTimestamp)).toBe(false)
    heals[0]!()
    c.at(1030)
    expect(c.ready(0)?.status).toBe('True')
    c.at(1200)
    expect(down(c)).toBe(2)
  })

  it('leaves nodes out of the count that say so', () => {
    const labels = { 'node.kubernetes.io/exclude-disruption': '' }
    const c = nodeCluster({ nodes: 6, node: (i) => (i === 5 ? { labels } : {}) })
    c.at(60)
    for (const node of c.nodes.slice(0, 5)) node.powerOff()
    c.at(400)
    // the one that is left does not count: no node is ready
    expect(down(c)).toBe(0)
  })

  it('keeps zones apart', () => {
    const c = nodeCluster({ nodes: 8, node: (i) => ({ zone: i < 4 ? 'a' : 'b' }) })
    c.at(60)
    for (const node of c.nodes.slice(0, 4)) node.powerOff()
    c.at(400)
    // a zone without any ready node is evicted at the usual rate while another has some
    expect(down(c)).toBe(4)
  })
})
