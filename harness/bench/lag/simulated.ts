import { Store } from '../../../sandbox/apiserver/store.ts'
import { strategies } from '../../../sandbox/apiserver/strategies/index.ts'
import { runController } from '../../../sandbox/controllers/controller.ts'
import { replicaSetController } from '../../../sandbox/controllers/replicaset.ts'
import { Journal } from '../../../sandbox/journal/journal.ts'
import { Pod, ReplicaSet } from '../../../sandbox/kube/kinds.ts'
import type { LagProfile } from '../../../sandbox/kube/lag.ts'
import { StoreKube } from '../../../sandbox/kube/store-kube.ts'
import { spawn } from '../../../sandbox/world/actor.ts'
import { VirtualClock } from '../../../sandbox/world/clock.ts'
import { seconds, toSeconds } from '../../../sandbox/world/time.ts'
import { createWorld } from '../../../sandbox/world/world.ts'
import { podNamed } from './probe.ts'
import { REPLICAS } from './scale.ts'

/** The same scale-up in the simulator: seconds from the request to the last pod in another process's cache, and to the status. */
export function simulateScaleUp(profile: LagProfile, seed: number): { created: number; observed: number } {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed, journal: new Journal(clock) })
  const store = new Store({ world, strategies })
  const manager = new StoreKube({ world, store, profile, process: 'kube-controller-manager' })
  const user = new StoreKube({ world, store, profile, process: 'kubectl' })
  runController(replicaSetController, { world, kube: manager })
  const { containers } = podNamed('default', 'web').spec
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers } }
  const spec = { replicas: 0, selector: { matchLabels: { app: 'web' } }, template }
  const metadata = { name: 'web', namespace: 'default' }
  store.create(ReplicaSet, { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec } as never, 'kubectl')
  user.list(Pod)
  user.list(ReplicaSet)
  clock.runUntil(seconds(6))
  const from = clock.now
  spawn(clock, 'scale', user.patch(ReplicaSet, 'default/web', { spec: { replicas: REPLICAS } }))
  const since = (condition: () => boolean) => {
    for (let next = clock.nextAt(); !condition(); next = clock.nextAt()) {
      if (next === undefined) throw new Error('the simulated scale-up never ended')
      clock.runUntil(next)
    }
    return toSeconds(clock.now - from)
  }
  const created = since(() => user.list(Pod).length === REPLICAS)
  return { created, observed: since(() => user.get(ReplicaSet, 'default/web')?.status.replicas === REPLICAS) }
}
