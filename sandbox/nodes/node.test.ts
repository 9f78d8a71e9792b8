import { describe, expect, it } from 'vitest'
import { ConfigMap, Pod } from '../kube/kinds.ts'
import { defaultProfile } from '../kube/lag.ts'
import { condition, isReady } from '../kube/pods.ts'
import { fromRfc3339, ms, seconds } from '../world/time.ts'
import { scripted, testNode, testPod, timesOf } from './testkit.ts'

const gpu = { product: 'NVIDIA-H100-80GB-HBM3', memoryBytes: 80 * 2 ** 30, count: 2 }

describe('a node', () => {
  it('registers with labels, capacity, allocatable and a lease', () => {
    const t = testNode({ node: { gpu, zone: 'a', taints: [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }] } })
    const node = t.nodeObject()
    expect(node.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'node-0',
      'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
      'nvidia.com/gpu.count': '2',
      'nvidia.com/gpu.memory': '81920',
      'topology.kubernetes.io/zone': 'a',
    })
    expect(node.status.capacity).toMatchObject({ cpu: '64', memory: '512Gi', pods: '110', 'nvidia.com/gpu': '2' })
    expect(node.status.allocatable.memory).toBe(`${512 * 1024 - 100}Mi`)
    expect(condition(node, 'Ready')?.status).toBe('True')
    expect(node.spec.taints).toEqual([
      { key: 'nvidia.com/gpu', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
    ])
  })

  it('runs a pod to Ready in a handful of events, with kubelet events word for word', () => {
    const t = testNode({ profile: defaultProfile })
    const before = t.clock.events
    t.create(testPod({ containers: [{ name: 'a' }] }))
    t.at(60)
    expect(isReady(t.pod())).toBe(true)
    expect(t.pod().status.podIP).toBe('10.128.0.2')
    expect(t.events().map((e) => `${e.reason}: ${e.message}`)).toEqual([
      'Pulled: Container image "x" already present on machine and can be accessed by the pod',
      'Created: Container created',
      'Started: Container started',
    ])
    expect(t.clock.events - before).toBeLessThan(40)
  })

  it('tells the sandbox is ready before the image is there, and pulls one image at a time', () => {
    const t = testNode({ images: (i) => (i === 'big' ? { sizeBytes: 5e9 } : { sizeBytes: 1e9 }) })
    t.create(testPod({ containers: [{ name: 'a', image: 'big' }] }, 'one'))
    t.create(testPod({ containers: [{ name: 'a', image: 'small' }] }, 'two'))
    t.at(10)
    expect(condition(t.pod('one'), 'PodReadyToStartContainers')?.status).toBe('True')
    expect(t.pod('one').status.containerStatuses?.[0]?.state.waiting?.reason).toBe('ContainerCreating')
    t.at(120)
    // 0.6 s to resolve, 50 s and 10 s at 100 MB/s
    expect(t.events('Pulled').map((e) => e.message)).toEqual([
      'Successfully pulled image "big" in 50.6s (50.6s including waiting). Image size: 5000000000 bytes.',
      'Successfully pulled image "small" in 10.6s (1m1.2s including waiting). Image size: 1000000000 bytes.',
    ])
    expect(isReady(t.pod('two'))).toBe(true)
  })

  it('slows pulls under way with the registry', () => {
    const t = testNode()
    t.create(testPod({ containers: [{ name: 'a', image: 'other' }] }))
    // sandbox at 1.75 s, resolved at 2.35 s; half of 10 s done at 7.35 s
    t.clock.runUntil(seconds(1) + ms(300 + 450 + 600 + 5000))
    t.registry.setBandwidthFactor(0.1)
    t.at(60)
    expect(t.events('Pulled')[0]?.message).toContain('in 55.6s')
  })

  it('backs off pulling an image that is not there', () => {
    const t = testNode({ images: () => undefined })
    t.create(testPod({ containers: [{ name: 'a', image: 'registry.example/none:1' }] }))
    t.at(100)
    const [failed, error] = t.events('Failed')
    expect(failed?.message).toBe(
      'Failed to pull image "registry.example/none:1": rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/none:1": failed to resolve reference "registry.example/none:1": registry.example/none:1: not found',
    )
    expect(error?.message).toBe('Error: ErrImagePull')
    expect(t.events('BackOff')[0]?.message).toBe('Back-off pulling image "registry.example/none:1"')
    const { waiting } = t.pod().status.containerStatuses![0]!.state
    expect(['ErrImagePull', 'ImagePullBackOff']).toContain(waiting?.reason)
    const tries = timesOf(t.events('Pulling'))
    expect(tries[1]! - tries[0]!).toBeGreaterThanOrEqual(10)
    expect(tries[2]! - tries[1]!).toBeGreaterThanOrEqual(20)
  })

  it('waits for a ConfigMap that is missing, and starts when it is there', () => {
    const t = testNode()
    t.create(testPod({ containers: [{ name: 'a' }], volumes: [{ name: 'c', configMap: { name: 'settings' } }] }))
    t.at(20)
    expect(t.events('FailedMount')[0]?.message).toBe(
      'MountVolume.SetUp failed for volume "c" : configmap "settings" not found',
    )
    expect(t.pod().status.phase).toBe('Pending')
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'default' }, data: {} }
    t.store.create(ConfigMap, map, 'test')
    t.at(60)
    expect(isReady(t.pod())).toBe(true)
  })

  it('says CreateContainerConfigError for a Secret that the environment needs', () => {
    const t = testNode()
    const env = [{ name: 'HF_TOKEN', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } }]
    t.create(testPod({ containers: [{ name: 'a', env }] }))
    t.at(10)
    expect(t.pod().status.containerStatuses?.[0]?.state.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'secret "hf" not found',
    })
    expect(t.events('Failed')[0]?.message).toBe('Error: secret "hf" not found')
  })
})

describe('admission', () => {
  it('refuses a pod whose GPUs are taken, as the device manager says it', () => {
    const t = testNode({ node: { gpu } })
    const resources = { limits: { 'nvidia.com/gpu': '2' }, requests: { 'nvidia.com/gpu': '2' } }
    t.create(testPod({ containers: [{ name: 'a', resources }] }, 'one'))
    t.create(testPod({ containers: [{ name: 'a', resources }] }, 'two'))
    t.at(10)
    expect(isReady(t.pod('one'))).toBe(true)
    expect(t.pod('two').status).toMatchObject({
      phase: 'Failed',
      reason: 'UnexpectedAdmissionError',
      message:
        'Pod was rejected: Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 2, Available: 0, which is unexpected',
    })
  })

  it('refuses a pod that asks for more cpu than is left, or does not match the node', () => {
    const t = testNode()
    const requests = { cpu: '40' }
    t.create(testPod({ containers: [{ name: 'a', resources: { requests } }] }, 'one'))
    t.create(testPod({ containers: [{ name: 'a', resources: { requests } }] }, 'two'))
    t.create(testPod({ containers: [{ name: 'a' }], nodeSelector: { disk: 'ssd' } }, 'three'))
    t.at(10)
    expect(t.pod('two').status).toMatchObject({
      reason: 'OutOfcpu',
      message:
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 40000, used: 40000, capacity: 64000",
    })
    expect(t.pod('three').status).toMatchObject({
      reason: 'NodeAffinity',
      message: "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    })
  })

  it('lowers allocatable with the next node status when a GPU fails, and leaves its pod alone', () => {
    const t = testNode({ node: { gpu } })
    const resources = { limits: { 'nvidia.com/gpu': '1' }, requests: { 'nvidia.com/gpu': '1' } }
    const pod = t.create(testPod({ containers: [{ name: 'a', resources }] }))
    t.at(10)
    const [first] = t.node.gpus
    expect(t.node.holderOf(first!)).toEqual({ podUid: pod.metadata.uid, container: 'a' })
    t.node.setGpuHealth(first!, false)
    t.at(21)
    expect(t.nodeObject().status.allocatable['nvidia.com/gpu']).toBe('1')
    expect(t.nodeObject().status.capacity['nvidia.com/gpu']).toBe('2')
    expect(isReady(t.pod())).toBe(true)
  })

  it('gives GPUs to the next pod only when the containers of the one before are gone', () => {
    const { runs, programFor } = scripted(() => ({}))
    const t = testNode({ node: { gpu }, programFor })
    const resources = { limits: { 'nvidia.com/gpu': '2' }, requests: { 'nvidia.com/gpu': '2' } }
    t.create(testPod({ containers: [{ name: 'a', resources }], terminationGracePeriodSeconds: 20 }, 'one'))
    t.at(5)
    t.store.delete(Pod, 'default/one', 'test')
    t.at(15)
    t.create(testPod({ containers: [{ name: 'a', resources }] }, 'early'))
    t.at(40)
    expect(t.pod('early').status.reason).toBe('UnexpectedAdmissionError')
    expect(t.gone('one')).toBe(true)
    t.create(testPod({ containers: [{ name: 'a', resources }] }, 'late'))
    t.at(50)
    expect(isReady(t.pod('late'))).toBe(true)
    expect(runs).toHaveLength(2)
  })
})

describe('crashes', () => {
  it('waits 10, 20, 40 … seconds between starts, up to five minutes', () => {
    const { runs, programFor } = scripted(({ clock, exit }) => {
      clock.after(seconds(1), () => exit(1))
      return {}
    })
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a' }] }))
    t.at(1500)
    // from one exit to the next start: the sync after the first crash starts it at once
    const gaps = runs.slice(1).map((run, i) => (run.startedAt - runs[i]!.endedAt!) / 1e6)
    const wanted = [0, 10, 20, 40, 80, 160, 300, 300]
    wanted.slice(0, gaps.length).forEach((w, i) => {
      expect(gaps[i]).toBeGreaterThanOrEqual(w)
      // a relist, the jitter of half the wait (at most half a minute) and the sync loop's tick
      expect(gaps[i]).toBeLessThan(w + Math.min(w / 2, 32) + 3)
    })
    expect(gaps.length).toBeGreaterThanOrEqual(7)
    const status = t.pod().status.containerStatuses![0]!
    expect(status.restartCount).toBe(runs.length - 1)
    expect(status.state.waiting?.reason).toBe('CrashLoopBackOff')
    const uid = t.pod().metadata.uid
    expect(status.state.waiting?.message).toBe(`back-off 5m0s restarting failed container=a pod=web_default(${uid})`)
    expect(status.lastState.terminated).toMatchObject({ exitCode: 1, reason: 'Error' })
    expect(t.events('BackOff')[0]?.message).toBe(`Back-off restarting failed container a in pod web_default(${uid})`)
  })

  it('finds a killed process at the next relist, within a second', () => {
    const t = testNode()
    t.create(testPod({ containers: [{ name: 'a' }] }))
    t.at(10)
    expect(t.node.killProcess('default/web', 'a')).toBe(true)
    t.clock.runUntil(seconds(12))
    const status = t.pod().status.containerStatuses![0]!
    expect(status.restartCount).toBe(1)
    expect(status.lastState.terminated).toMatchObject({ exitCode: 137, reason: 'Error' })
    expect(fromRfc3339(status.lastState.terminated!.finishedAt!)).toBe(seconds(10))
  })

  it.each([
    ['Never', 0, 'Succeeded'],
    ['Never', 3, 'Failed'],
    ['OnFailure', 0, 'Succeeded'],
  ] as const)('ends a pod that runs once: restartPolicy %s, exit %i → %s', (restartPolicy, code, phase) => {
    const { runs, programFor } = scripted(({ clock, exit }) => {
      clock.after(seconds(2), () => exit(code))
      return {}
    })
    const t = testNode({ programFor })
    t.create(testPod({ containers: [{ name: 'a' }], restartPolicy }))
    t.at(30)
    expect(t.pod().status.phase).toBe(phase)
    expect(condition(t.pod(), 'Ready')?.reason).toBe(phase === 'Failed' ? 'PodFailed' : 'PodCompleted')
    expect(runs).toHaveLength(1)
  })
})
