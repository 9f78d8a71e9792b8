import { Store } from '../apiserver/store.ts'
import { strategies } from '../apiserver/strategies/index.ts'
import { Journal } from '../journal/journal.ts'
import { spawn, type Task } from '../world/actor.ts'
import { VirtualClock } from '../world/clock.ts'
import { createWorld } from '../world/world.ts'
import { describeKube, type Place } from './contract.ts'
import { Namespace } from './kinds.ts'
import { defaultProfile, instant, type LagProfile } from './lag.ts'
import { StoreKube } from './store-kube.ts'

async function storePlace(profile: LagProfile): Promise<Place> {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed: 7, journal: new Journal(clock) })
  const store = new Store({ world, strategies })
  store.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'contract' } }, 'test')
  const step = () => {
    const next = clock.nextAt()
    if (next !== undefined) clock.runUntil(next)
    return next !== undefined
  }
  return {
    world,
    namespace: 'contract',
    async kube(process, ...kinds) {
      const kube = new StoreKube({ world, store, profile, process })
      for (const kind of kinds) kube.list(kind)
      return kube
    },
    async run<T>(task: Task<T>) {
      let outcome: { value: T } | { error: unknown } | undefined
      spawn(
        clock,
        'test',
        (function* () {
          try {
            outcome = { value: yield* task }
          } catch (error) {
            outcome = { error }
          }
        })(),
      )
      while (!outcome) if (!step()) throw new Error('the task waits for nothing that will come')
      if ('error' in outcome) throw outcome.error
      return outcome.value
    },
    async until(condition, within) {
      const deadline = clock.now + within
      while (!condition()) if (clock.now > deadline || !step()) throw new Error(`not within ${within} µs: ${condition}`)
    },
    async close() {},
  }
}

for (const profile of [instant, defaultProfile])
  describeKube(`the store, ${profile.name} profile`, () => storePlace(profile))
