import { describe, expect, it } from 'vitest'
import { readyPods } from '../../../controllers/node-lifecycle/testkit.ts'
import { ConfigMap, DaemonSet, Deployment, Node, Pod, PodDisruptionBudget } from '../../../kube/kinds.ts'
import { isFinished } from '../../../kube/pods.ts'
import { minutes, seconds } from '../../../world/time.ts'
import type { MachineShape } from '../machines.ts'
import { cpuShape, elasticCluster, gpuShape } from '../testkit.ts'
import { runClusterAutoscaler } from './cluster-autoscaler.ts'
import type { ClusterAutoscalerFlags, NodeGroupOptions } from './options.ts'

const GPU_LABEL = 'k8s.amazonaws.com/accelerator'
const labelled = (count = 8) => gpuShape(count, { labels: { [GPU_LABEL]: 'nvidia-h100' } })

function setup(
  groups: readonly NodeGroupOptions[],
  options: { flags?: Partial<ClusterAutoscalerFlags>; capacity?: (shape: MachineShape) => boolean; seed?: number } = {},
) {
  const { flags, ...rest } = options
  const c = elasticCluster(rest)
  const made = runClusterAutoscaler({
    world: c.world,
    kube: c.kube('cluster-autoscaler'),
    park: c.park,
    groups,
    flags: { gpuLabel: GPU_LABEL, ...flags },
  })
  return { ...c, groups: made }
}

const alive = (c: ReturnType<typeof setup>) =>
  c.pods().filter((pod) => !isFinished(pod) && !pod.metadata.deletionTimestamp)

const scale = (c: ReturnType<typeof setup>, replicas: number) =>
  c.store.patch(Deployment, 'default/web', { spec: { replicas } }, 'kubectl')

describe('the cluster autoscaler', () => {
  it('orders as many nodes as the waiting pods need, once, and they run when the GPUs are there', () => {
    const c = setup([{ name: 'gpu', min: 0, max: 5, shape: labelled() }])
    c.deploy(5, 4)
    // more pods with GPUs may follow
    c.at(28)
    expect(c.groups[0]!.target).toBe(0)
    c.at(42)
    expect(c.groups[0]!.target).toBe(3)
    expect(c.events('TriggeredScaleUp')[0]?.message).toBe('pod triggered scale-up: [{gpu 0->3 (max: 5)}]')
    c.at(140)
    expect(c.running()).toHaveLength(4)
    expect(readyPods(c.pods())).toEqual([])
    c.at(260)
    expect(c.groups[0]!.target).toBe(3)
    expect(readyPods(c.pods())).toHaveLength(5)
  })

  it('orders too many where nodes are ready before their GPUs and nothing says that some will come', () => {
    const c = setup([{ name: 'gpu', min: 0, max: 5, shape: gpuShape() }])
    c.deploy(1, 8)
    c.at(600)
    expect(c.groups[0]!.target).toBeGreaterThan(1)
  })

  it('says why it cannot help', () => {
    const c = setup([
      { name: 'small', min: 0, max: 5, shape: labelled(4) },
      { name: 'full', min: 0, max: 0, shape: labelled() },
    ])
    c.deploy(1, 8)
    c.at(60)
    expect(c.events('NotTriggerScaleUp').map((e) => e.message)).toEqual([
      "pod didn't trigger scale-up: 1 Insufficient nvidia.com/gpu, 1 max node group size reached",
    ])
  })

  it('leaves a group alone for five minutes, then longer, after the cloud had no machine, and takes another', () => {
    const only = setup([{ name: 'gpu', min: 0, max: 5, shape: labelled() }], { capacity: () => false })
    only.deploy(1, 8)
    only.at(3600)
    const refusals = only.world.journal.records.filter((r) => r.type === 'note' && r.text.startsWith('no capacity'))
    const gaps = refusals.slice(1).map((r, i) => (r.at - refusals[i]!.at) / 60e6)
    expect(gaps[0]).toBeCloseTo(5, 0)
    expect(gaps[1]).toBeCloseTo(10, 0)
    const two = setup(
      [
        { name: 'cheap', min: 0, max: 5, shape: labelled() },
        { name: 'other', min: 0, max: 5, shape: { ...labelled(), zone: 'b', cpu: '384' } },
      ],
      { capacity: ({ zone }) => zone === 'b' },
    )
    two.deploy(1, 8)
    two.at(600)
    expect(readyPods(two.pods())).toHaveLength(1)
  })

  it('gives up on a machine that does not register in 15 minutes', () => {
    const c = elasticCluster({})
    const delays = { register: minutes(30), devicePlugin: 0, refusal: 0 }
    const [group] = runClusterAutoscaler({
      world: c.world,
      kube: c.kube('cluster-autoscaler'),
      park: c.park,
      groups: [{ name: 'gpu', min: 0, max: 5, shape: labelled() }],
      delays,
    })
    c.deploy(1, 8)
    c.at(15 * 60)
    expect(group!.target).toBe(1)
    c.at(16 * 60)
    expect(group!.target).toBe(0)
  })

  it('chooses what wastes least', () => {
    const shapes = { big: '64', fitting: '8', middle: '16' }
    const groups = Object.entries(shapes).map(([name, cpu]) => ({
      name,
      min: 0,
      max: 3,
      shape: { cpu, memory: '64Gi' },
    }))
    const c = elasticCluster({ nodes: 1, node: () => ({ cpu: '1' }) })
    runClusterAutoscaler({ world: c.world, kube: c.kube('cluster-autoscaler'), park: c.park, groups })
    const containers = [{ name: 'a', image: 'x', resources: { requests: { cpu: '6' } } }]
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec: { containers } }
    c.store.create(Pod, pod as never, 'kubectl')
    c.at(300)
    expect(c.pod('default/p').spec.nodeName).toMatch(/^fitting-/)
  })

  it('removes nodes that are empty for ten minutes, ten minutes after the last was added, down to the minimum', () => {
    const c = setup([{ name: 'gpu', min: 1, max: 5, shape: labelled() }])
    c.deploy(3, 8)
    c.at(400)
    expect(readyPods(c.pods())).toHaveLength(3)
    scale(c, 0)
    c.at(400 + 590)
    expect(c.groups[0]!.target).toBe(3)
    c.at(400 + 680)
    expect(c.groups[0]!.target).toBe(1)
    expect(c.store.list(Node)).toHaveLength(2)
    expect(c.running()).toHaveLength(2)
  })

  it('moves pods from nodes little used, within budgets, and keeps nodes it must not touch', () => {
    const share = { scaleDownGpuUtilizationThreshold: 0.6 }
    const run = (options: { prepare?: (c: ReturnType<typeof setup>) => void; spec?: object; flags?: object }) => {
      const { prepare, spec = {}, flags = share } = options
      const c = setup([{ name: 'gpu', min: 0, max: 5, shape: labelled() }], { flags })
      prepare?.(c)
      c.deploy(4, 4, spec)
      c.at(400)
      const one = new Map(c.pods().map((pod) => [pod.spec.nodeName, pod]))
      for (const pod of one.values())
        c.store.patch(
          Pod,
          `default/${pod.metadata.name}`,
          { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-1' } } },
          'kubectl',
        )
      scale(c, 2)
      c.at(400 + 1400)
      expect(readyPods(alive(c))).toHaveLength(2)
      return c.groups[0]!.target
    }
    // half used is not below the default threshold
    expect(run({ flags: {} })).toBe(2)
    expect(run({})).toBe(1)
    const volumes = (emptyDir: object) => ({ volumes: [{ name: 'v', emptyDir }] })
    expect(run({ spec: volumes({}) })).toBe(2)
    expect(run({ spec: volumes({ medium: 'Memory' }) })).toBe(1)
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'b', namespace: 'default' },
      spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'web' } } },
    }
    expect(run({ prepare: (c) => c.store.create(PodDisruptionBudget, budget as never, 'kubectl') })).toBe(2)
  })

  it('does nothing for pods that fit', () => {
    const c = setup([{ name: 'cpu', min: 0, max: 5, shape: cpuShape }])
    c.deploy(3)
    c.clock.runUntil(seconds(600))
    expect(c.groups[0]!.target).toBe(0)
  })

  it('tries the group of the highest priority that its ConfigMap names', () => {
    const groups = ['spot-a', 'on-demand'].map((name) => ({ name, min: 0, max: 3, shape: labelled() }))
    const chosen = (data?: object) => {
      const c = setup(groups, { flags: { expander: 'priority' } })
      const metadata = { name: 'cluster-autoscaler-priority-expander', namespace: 'kube-system' }
      if (data) c.store.create(ConfigMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as never, 'kubectl')
      c.deploy(1, 8)
      c.at(60)
      return c.groups.filter(({ target }) => target > 0).map(({ name }) => name)
    }
    expect(chosen({ priorities: '10: [on-demand]\n50: [spot-.*]\n' })).toEqual(['spot-a'])
    expect(chosen({ priorities: '10: [spot-.*]\n50: [on-demand]\n' })).toEqual(['on-demand'])
    expect(chosen()).toEqual([])
  })

  it('keeps room for the pods of DaemonSets', () => {
    const c = setup([{ name: 'gpu', min: 0, max: 5, shape: { ...labelled(1), cpu: '8' } }])
    const template = (cpu: string) => ({
      metadata: { labels: { app: 'agent' } },
      spec: { containers: [{ name: 'a', image: 'x', resources: { requests: { cpu } } }] },
    })
    const spec = { selector: { matchLabels: { app: 'agent' } }, template: template('4') }
    const metadata = { name: 'agent', namespace: 'default' }
    c.store.create(DaemonSet, { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec } as never, 'kubectl')
    c.deploy(1, 1, { resources: { requests: { cpu: '6' } } } as never)
    c.at(120)
    expect(c.groups[0]!.target).toBe(0)
    expect(c.events('NotTriggerScaleUp').map((e) => e.message)).toEqual([
      "pod didn't trigger scale-up: 1 Insufficient cpu",
    ])
  })

  it('takes nodes that are down away after twenty minutes, and does nothing while too many are', () => {
    const off = (count: number) => {
      const c = setup([{ name: 'gpu', min: 0, max: 9, shape: labelled() }])
      c.deploy(6, 8)
      c.at(400)
      for (const name of c
        .running()
        .filter((n) => n !== 'node-0')
        .slice(0, count))
        c.machines.get(name)!.powerOff()
      scale(c, 0)
      c.at(400 + 15 * 60)
      const before = c.groups[0]!.target
      c.at(400 + 30 * 60)
      return [before, c.groups[0]!.target]
    }
    expect(off(1)).toEqual([1, 0])
    expect(off(5)).toEqual([6, 6])
  })
})
