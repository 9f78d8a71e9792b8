import { describe, expect, it } from 'vitest'
import { Store } from '../apiserver/store.ts'
import { addReadyNode, draft } from '../apiserver/testkit.ts'
import { runController } from '../controllers/controller.ts'
import { disruptionController } from '../controllers/disruption/disruption.ts'
import { Journal } from '../journal/journal.ts'
import { keyOf, Pod, PodDisruptionBudget, PriorityClass } from '../kube/kinds.ts'
import { defaultProfile } from '../kube/lag.ts'
import { StoreKube } from '../kube/store-kube.ts'
import { VirtualClock } from '../world/clock.ts'
import { seconds, toRfc3339 } from '../world/time.ts'
import { createWorld } from '../world/world.ts'
import { parseSchedulerConfiguration } from './config/configuration.ts'
import { runScheduler } from './scheduler.ts'
import { node, type PodOptions, pod } from './testing.ts'

const HEAD = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' }

function sandbox(profiles?: readonly object[]) {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  const store = new Store({ world })
  for (const name of ['a', 'b']) addReadyNode(store, node(name, { gpus: 8, cpu: '100', memory: '1000Gi' }))
  const urgent = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass' as const,
    metadata: { name: 'urgent' },
    value: 100,
  }
  store.create(PriorityClass, urgent, 'test')
  // a kubelet that starts and stops containers at once
  store.watch(Pod, {}, ({ verb, object, before }) => {
    const key = keyOf(object)
    const leaves = verb === 'MODIFIED' && object.metadata.deletionTimestamp
    if (leaves)
      clock.after(
        seconds(1),
        () => store.peek(Pod, key) && store.delete(Pod, key, 'kubelet', { gracePeriodSeconds: 0 }),
      )
    if (verb === 'MODIFIED' && object.spec.nodeName && !before?.spec.nodeName)
      clock.after(seconds(1), () => {
        const lastTransitionTime = toRfc3339(clock.now)
        const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime }]
        store.patch(Pod, key, { status: { phase: 'Running', conditions } }, 'kubelet', { subresource: 'status' })
      })
  })
  const kube = (process: string) => new StoreKube({ world, store, profile: defaultProfile, process })
  runController(disruptionController, { world, kube: kube('kube-controller-manager') })
  const configuration = profiles && parseSchedulerConfiguration({ ...HEAD, profiles })
  runScheduler({ world, kube: kube('kube-scheduler'), ...(configuration && { configuration }) })
  const create = (name: string, options: PodOptions) => {
    const made = pod(name, options)
    store.create(Pod, { ...made, spec: { ...made.spec, priority: undefined } } as never, 'test')
    clock.runUntil(clock.now + seconds(5))
  }
  const placed = () => Object.fromEntries(store.list(Pod).map((p) => [p.metadata.name, p.spec.nodeName]))
  return { clock, store, create, placed }
}

describe('profiles', () => {
  it('place the pods that ask for them, each in its way, and leave the others', () => {
    const resources = [{ name: 'nvidia.com/gpu', weight: 1 }]
    const strategy = (type: string) => ({
      pluginConfig: [{ name: 'NodeResourcesFit', args: { scoringStrategy: { type, resources } } }],
      plugins: {
        multiPoint: { disabled: [{ name: 'PodTopologySpread' }, { name: 'NodeResourcesBalancedAllocation' }] },
      },
    })
    const { create, placed } = sandbox([
      { schedulerName: 'default-scheduler', ...strategy('LeastAllocated') },
      { schedulerName: 'packing', ...strategy('MostAllocated') },
    ])
    create('first', { gpus: 2 })
    create('packed', { gpus: 2, spec: { schedulerName: 'packing' } })
    create('spread', { gpus: 2 })
    create('foreign', { gpus: 1, spec: { schedulerName: 'kueue' } })
    const { first, packed, spread, foreign } = placed()
    expect(packed).toBe(first)
    expect(spread).toBe(first === 'a' ? 'b' : 'a')
    expect(foreign).toBeUndefined()
  })

  it('may preempt nobody', () => {
    const urgent = { gpus: 8, spec: { priorityClassName: 'urgent' } }
    for (const [profiles, expected] of [
      [undefined, ['a', 'b']],
      [[{ plugins: { postFilter: { disabled: [{ name: 'DefaultPreemption' }] } } }], [undefined]],
    ] as const) {
      const { create, placed, clock } = sandbox(profiles)
      create('x', { gpus: 8 })
      create('y', { gpus: 8 })
      create('z', urgent)
      clock.runUntil(clock.now + seconds(30))
      expect(expected).toContain(placed()['z'])
    }
  })
})

describe('preemption', () => {
  it('goes by the budgets in the cluster', () => {
    const { store, create, placed, clock } = sandbox()
    create('guarded', { gpus: 8, labels: { app: 'chat' } })
    create('free', { gpus: 8, labels: { app: 'batch' } })
    const selector = { matchLabels: { app: 'chat' } }
    store.create(PodDisruptionBudget, draft({ name: 'chat' }, { selector, minAvailable: 1 }), 'test')
    clock.runUntil(clock.now + seconds(10))
    create('z', { gpus: 8, spec: { priorityClassName: 'urgent' } })
    clock.runUntil(clock.now + seconds(30))
    expect(placed()).toMatchObject({ guarded: expect.any(String), z: expect.any(String) })
    expect(placed()['free']).toBeUndefined()
  })
})
