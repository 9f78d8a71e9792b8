import { describe, expect, it } from 'vitest'
import { Store } from '../apiserver/store.ts'
import { strategies } from '../apiserver/strategies/index.ts'
import { Journal } from '../journal/journal.ts'
import { Pod, ReplicaSet } from '../kube/kinds.ts'
import { defaultProfile, instant, type LagProfile } from '../kube/lag.ts'
import type { ReplicaSet as ReplicaSetObject } from '../kube/objects.ts'
import { StoreKube } from '../kube/store-kube.ts'
import { VirtualClock } from '../world/clock.ts'
import { seconds } from '../world/time.ts'
import { createWorld } from '../world/world.ts'
import { runController } from './controller.ts'
import { replicaSetController } from './replicaset.ts'

function sandbox(profile: LagProfile) {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  const store = new Store({ world, strategies })
  const kube = new StoreKube({ world, store, profile, process: 'kube-controller-manager' })
  runController(replicaSetController, { world, kube })
  return { clock, world, store }
}

const web = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet' as const,
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'web', image: 'web:1' }],
      } as unknown as ReplicaSetObject['spec']['template']['spec'],
    },
  },
  status: { replicas: 0 },
})

describe.each([instant, defaultProfile])('with the $name profile', (profile) => {
  it('makes the pods that are missing, and no more', () => {
    const { clock, store } = sandbox(profile)
    store.create(ReplicaSet, web(25), 'test')
    clock.runUntil(seconds(60))
    expect(store.list(Pod)).toHaveLength(25)
    expect(store.get(ReplicaSet, 'default/web').status.replicas).toBe(25)
  })

  it('deletes what is too much', () => {
    const { clock, store } = sandbox(profile)
    store.create(ReplicaSet, web(10), 'test')
    clock.runUntil(seconds(30))
    store.patch(ReplicaSet, 'default/web', { spec: { replicas: 3 } }, 'test')
    clock.runUntil(seconds(60))
    expect(store.list(Pod)).toHaveLength(3)
  })
})
