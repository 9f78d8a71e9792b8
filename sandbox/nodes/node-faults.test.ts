import { describe, expect, it } from 'vitest'
import { H100, nodeCluster, readyPods } from '../controllers/node-lifecycle/testkit.ts'
import { Pod } from '../kube/kinds.ts'
import { condition } from '../kube/pods.ts'
import { PodNetwork } from '../network/pod-network.ts'
import { VirtualClock } from '../world/clock.ts'
import { seconds } from '../world/time.ts'
import { NodeNetwork } from './node-network.ts'
import type { InferenceObserver, InferenceServer } from './program.ts'
import { scripted, testNode, testPod } from './testkit.ts'

const GPU = 'nvidia.com/gpu'
const boot = { kubelet: seconds(20), devicePlugin: seconds(30) }
const gpus = (nodes: number, count = 2) =>
  nodeCluster({ nodes, node: () => ({ gpu: { ...H100, count } }), options: { bootTimings: boot } })

describe('a node that boots again', () => {
  it('starts the pods that are still bound to it anew', () => {
    const c = nodeCluster({ nodes: 1, options: { bootTimings: boot } })
    c.deploy(1)
    c.at(30)
    const [before] = c.pods()
    c.nodes[0]!.powerOff()
    c.at(35)
    expect(c.nodes[0]!.power).toBe('off')
    c.nodes[0]!.powerOn()
    c.at(54)
    expect(c.nodes[0]!.power).toBe('booting')
    c.at(90)
    const [pod] = c.pods()
    expect(pod!.metadata.uid).toBe(before!.metadata.uid)
    const [status] = pod!.status.containerStatuses!
    expect(status).toMatchObject({ ready: true, restartCount: 1 })
    expect(status!.lastState.terminated).toMatchObject({ exitCode: 255, reason: 'Unknown' })
    expect(status!.containerID).not.toBe(before!.status.containerStatuses![0]!.containerID)
    expect(c.events('SandboxChanged')).toHaveLength(1)
    expect(c.events('Rebooted')[0]?.message).toMatch(/^Node node-0 has been rebooted, boot id: [0-9a-f-]{36}$/)
    expect(c.ready(0)?.status).toBe('True')
  })

  it('refuses pods with GPUs until the device plugin is back, and has no GPUs to offer until then', () => {
    const c = gpus(1)
    c.deploy(2, 1)
    c.at(30)
    expect(readyPods(c.pods())).toHaveLength(2)
    c.nodes[0]!.powerOff()
    c.at(35)
    c.nodes[0]!.powerOn()
    c.at(57)
    const refused = c.pods().filter((pod) => pod.status.phase === 'Failed')
    expect(refused).toHaveLength(2)
    expect(refused[0]!.status).toMatchObject({
      reason: 'UnexpectedAdmissionError',
      message: `Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices ${GPU}, which is unexpected`,
    })
    expect(c.node(0).status.allocatable[GPU]).toBe('0')
    expect(c.pods().filter((pod) => pod.status.phase === 'Pending')).toHaveLength(2)
    c.at(150)
    expect(c.node(0).status.allocatable[GPU]).toBe('2')
    expect(readyPods(c.pods())).toHaveLength(2)
    expect(new Set(c.nodes[0]!.gpus.map((id) => c.nodes[0]!.holderOf(id)?.podUid)).size).toBe(2)
  })

  it('ends pods that never restart, and those deleted meanwhile', () => {
    const t = testNode()
    t.create(testPod({ containers: [{ name: 'a' }], restartPolicy: 'Never' }, 'once'))
    t.create(testPod({ containers: [{ name: 'a' }] }, 'deleted'))
    t.at(10)
    t.node.powerOff()
    t.store.delete(Pod, 'default/deleted', 'test')
    t.at(20)
    t.node.powerOn()
    t.at(300)
    expect(t.pod('once').status.phase).toBe('Failed')
    expect(t.gone('deleted')).toBe(true)
  })

  it('boots only when it is off, and never when it is gone', () => {
    const t = testNode()
    t.node.powerOn()
    expect(t.node.power).toBe('on')
    t.node.destroy()
    t.node.powerOn()
    t.at(600)
    expect(t.node.power).toBe('gone')
  })
})

describe('a node that is cut off', () => {
  it('goes on with its work; pods deleted meanwhile end when it heals', () => {
    const t = testNode()
    t.create(testPod({ containers: [{ name: 'a' }] }, 'kept'))
    t.create(testPod({ containers: [{ name: 'a' }] }, 'deleted'))
    t.at(10)
    const ip = t.pod('kept').status.podIP!
    expect(t.network.connect(ip, 8000).kind).toBe('refused')
    const heal = t.node.disconnect()
    const again = t.node.disconnect()
    expect(t.network.connect(ip, 8000).kind).toBe('unreachable')
    expect(t.node.containerStats()).toBeUndefined()
    t.store.delete(Pod, 'default/deleted', 'test', { gracePeriodSeconds: 1 })
    t.node.killProcess('default/kept', 'a')
    t.at(60)
    expect(t.gone('deleted')).toBe(false)
    expect(t.pod('kept').status.containerStatuses![0]!.restartCount).toBe(0)
    heal()
    heal()
    t.at(61)
    expect(t.node.connected).toBe(false)
    again()
    t.at(80)
    expect(t.gone('deleted')).toBe(true)
    expect(t.pod('kept').status.containerStatuses![0]).toMatchObject({ restartCount: 1, ready: true })
    expect(t.network.connect(t.pod('kept').status.podIP!, 8000).kind).toBe('refused')
  })

  it('ends a pod that was forced away and its name given to another', () => {
    const t = testNode()
    t.create(testPod({ containers: [{ name: 'a' }] }))
    t.at(10)
    const heal = t.node.disconnect()
    t.store.delete(Pod, 'default/web', 'test', { gracePeriodSeconds: 0 })
    const second = t.create(testPod({ containers: [{ name: 'a' }] }))
    t.at(20)
    expect(t.node.containerStats()).toBeUndefined()
    heal()
    t.at(90)
    expect(t.node.containerStats()!.map((s) => s.pod.metadata.uid)).toEqual([second.metadata.uid])
  })
})

describe('answers on their way', () => {
  const server = (): InferenceServer & { observer?: InferenceObserver } => ({
    submit(_port, _request, observer) {
      this.observer = observer
      return () => undefined
    },
  })
  const setup = () => {
    const clock = new VirtualClock()
    const outer = new PodNetwork()
    const network = new NodeNetwork({ clock, outer })
    const inference = server()
    network.register('10.0.0.1', { podKey: 'default/a', accepts: () => true, inference })
    const seen: string[] = []
    const observer: InferenceObserver = {
      firstToken: (at) => seen.push(`first ${at}`),
      finished: ({ at }) => seen.push(`finished ${at}`),
      failed: ({ at }) => seen.push(`failed ${at}`),
    }
    const connection = outer.connect('10.0.0.1', 80)
    if (connection.kind === 'unreachable') throw new Error('unreachable')
    connection.endpoint.inference!.submit(80, {} as never, observer)
    return { clock, network, inference, seen }
  }

  it('arrive after a partition', () => {
    const { clock, network, inference, seen } = setup()
    inference.observer!.firstToken(0)
    network.darken()
    inference.observer!.finished({ at: 5, outputTokens: 1, reason: 'stop' })
    clock.runUntil(100)
    expect(seen).toEqual(['first 0'])
    network.lighten()
    expect(seen).toEqual(['first 0', 'finished 100'])
  })

  it('never arrive from a node without power', () => {
    const { network, inference, seen } = setup()
    network.darken()
    network.lose()
    inference.observer!.failed({ at: 5, kind: 'reset', message: 'connection reset by peer' })
    network.lighten()
    expect(seen).toEqual([])
  })
})

describe('a status somebody else changed', () => {
  it('is sent again within ten seconds', () => {
    const t = testNode()
    t.create(testPod({ containers: [{ name: 'a' }] }))
    t.at(10)
    const pod = t.pod()
    const conditions = pod.status.conditions!.map((c) => (c.type === 'Ready' ? { ...c, status: 'False' as const } : c))
    t.store.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } }, 'test')
    t.at(21)
    expect(condition(t.pod(), 'Ready')?.status).toBe('True')
    const other = { type: 'example.com/Seen', status: 'True' as const }
    const now = t.pod()
    const more = [...now.status.conditions!, other]
    t.store.updateStatus(Pod, { ...now, status: { ...now.status, conditions: more } }, 'test')
    const version = t.pod().metadata.resourceVersion
    t.at(60)
    expect(t.pod().metadata.resourceVersion).toBe(version)
  })
})

describe('a machine that is shut down in order', () => {
  it('ends its pods, critical ones last, says why, and loses power', () => {
    const { runs, programFor } = scripted(({ clock, exit }) => ({
      signal: (name) => {
        if (name === 'SIGTERM') clock.after(seconds(5), () => exit(0))
      },
    }))
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a' }] }, 'plain'))
    t.create(testPod({ containers: [{ name: 'b' }], priorityClassName: 'system-node-critical' }, 'critical'))
    t.at(10)
    t.node.shutDown({ gracePeriod: seconds(60), criticalGracePeriod: seconds(20) })
    t.create(testPod({ containers: [{ name: 'c' }] }, 'late'))
    t.at(12)
    expect(condition(t.nodeObject(), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'node is shutting down',
    })
    expect(t.pod('late').status).toMatchObject({
      phase: 'Failed',
      reason: 'NodeShutdown',
      message: 'Pod was rejected: Pod was rejected as the node is shutting down.',
    })
    t.at(40)
    expect(t.node.power).toBe('off')
    const [plain, critical] = runs
    expect(critical!.signals[0]!.at).toBeGreaterThan(plain!.endedAt!)
    expect(t.pod('plain').status).toMatchObject({
      phase: 'Failed',
      reason: 'Terminated',
      message: 'Pod was terminated in response to imminent node shutdown.',
    })
    expect(condition(t.pod('plain'), 'DisruptionTarget')?.reason).toBe('TerminationByKubelet')
  })
})
