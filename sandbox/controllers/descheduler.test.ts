import { describe, expect, it } from 'vitest'
import { PodDisruptionBudget } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { minutes } from '../world/time.ts'
import { type DeschedulerOptions, descheduler } from './descheduler.ts'
import { disruptionController } from './disruption/disruption.ts'
import { H100, nodeCluster, readyPods } from './node-lifecycle/testkit.ts'

const USUAL: DeschedulerOptions = {
  intervalUs: minutes(2),
  restarts: 4,
  includingInitContainers: true,
  protects: { localStorage: true, claims: false, critical: true },
}

/** Two nodes with two GPUs each, a pod of one GPU on each, and a GPU off the bus from 60 s on. */
function cluster(options: Partial<DeschedulerOptions>, spec: Partial<o.PodSpec> = {}, nodes = 2) {
  const c = nodeCluster({ nodes, node: () => ({ gpu: { ...H100, count: 2 } }), controllers: [disruptionController] })
  c.deploy(2, 1, spec)
  c.at(60)
  c.world.spawn('descheduler', descheduler(c.kube('descheduler'), { ...USUAL, ...options }))
  const gpu = c.nodes[0]!.gpus.find((id) => c.nodes[0]!.holderOf(id))!
  const uid = c.nodes[0]!.holderOf(gpu)!.podUid
  c.nodes[0]!.failGpu(gpu, 79)
  return { ...c, isThere: () => c.pods().some((pod) => pod.metadata.uid === uid) }
}

describe('a descheduler', () => {
  it('sends away a pod whose containers restart too often, and its replacement finds another GPU', () => {
    const c = cluster({})
    c.at(150)
    expect(c.isThere()).toBe(true)
    c.at(700)
    expect(c.isThere()).toBe(false)
    expect(readyPods(c.pods())).toHaveLength(2)
  })

  it('waits for as many restarts as it was told', () => {
    const c = cluster({ restarts: 100 })
    c.at(1800)
    expect(c.isThere()).toBe(true)
  })

  it.each<[string, Partial<DeschedulerOptions>, Partial<o.PodSpec>]>([
    [
      'an emptyDir',
      {},
      { volumes: [{ name: 'shm', emptyDir: { medium: 'Memory' } }] as o.PodSpec['volumes'] & object },
    ],
    ['another namespace', { namespaces: { include: ['kube-system'] } }, {}],
    ['a namespace left out', { namespaces: { exclude: ['default'] } }, {}],
    ['another state', { states: ['Failed'] }, {}],
  ])('leaves pods with %s alone', (_, options, spec) => {
    const c = cluster(options, spec)
    c.at(900)
    expect(c.isThere()).toBe(true)
  })

  it.each<[string, Partial<DeschedulerOptions>, Partial<o.PodSpec>]>([
    [
      'an emptyDir where local storage is not protected',
      { protects: { ...USUAL.protects, localStorage: false } },
      { volumes: [{ name: 'shm', emptyDir: {} }] as o.PodSpec['volumes'] & object },
    ],
    ['the state it waits in', { states: ['CrashLoopBackOff'] }, {}],
  ])('takes those with %s', (_, options, spec) => {
    const c = cluster(options, spec)
    c.at(900)
    expect(c.isThere()).toBe(false)
  })

  it('does nothing on one node, and nothing that a disruption budget does not allow', () => {
    const alone = cluster({}, {}, 1)
    alone.at(900)
    expect(alone.isThere()).toBe(true)
    const kept = cluster({})
    const { labels } = kept.pods()[0]!.metadata
    kept.store.create(
      PodDisruptionBudget,
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'all', namespace: 'default' },
        spec: { maxUnavailable: 0, selector: { matchLabels: { app: labels!['app']! } } },
      } as unknown as o.PodDisruptionBudget,
      'kubectl',
    )
    kept.at(900)
    expect(kept.isThere()).toBe(true)
  })
})
