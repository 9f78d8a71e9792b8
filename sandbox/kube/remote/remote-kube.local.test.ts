import { afterAll, beforeAll, describe } from 'vitest'
import { Journal } from '../../journal/journal.ts'
import { whyUnavailable } from '../../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../../tiers/control-plane/control-plane.ts'
import { spawn, type Task } from '../../world/actor.ts'
import type { Us } from '../../world/time.ts'
import { WallClock } from '../../world/wall-clock.ts'
import { createWorld } from '../../world/world.ts'
import { describeKube, type Place } from '../contract.ts'
import { Namespace } from '../kinds.ts'
import { RemoteCluster } from './remote-cluster.ts'
import { openRest, type Rest } from './rest.ts'

let controlPlane: ControlPlane
let rest: Rest
let places = 0

const unavailable = await whyUnavailable()

beforeAll(async () => {
  if (unavailable) return
  // no controller manager: the service accounts it would make are not asked for
  controlPlane = await startControlPlane({ apiserver: ['--disable-admission-plugins=ServiceAccount'] })
  rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
}, 120_000)
afterAll(() => controlPlane?.stop())

async function remotePlace(): Promise<Place> {
  const errors: unknown[] = []
  const clock = new WallClock({ onError: (error) => errors.push(error) })
  const world = createWorld({ clock, seed: 7, journal: new Journal(clock) })
  const namespace = `contract-${places++}`
  const cluster = new RemoteCluster({ world, rest })
  const run = <T>(task: Task<T>) =>
    new Promise<T>((resolve, reject) => {
      spawn(
        clock,
        'test',
        (function* () {
          try {
            resolve(yield* task)
          } catch (error) {
            reject(error)
          }
        })(),
      )
    })
  const admin = cluster.kubeOf('kubectl')
  await run(admin.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }))
  return {
    world,
    namespace,
    run,
    async kube(process, ...kinds) {
      const kube = cluster.kubeOf(process)
      await kube.sync(...kinds)
      return kube
    },
    async until(condition: () => boolean, within: Us) {
      const deadline = clock.now + within
      while (!condition()) {
        if (errors.length > 0) throw errors[0]
        if (clock.now > deadline) throw new Error(`not within ${within} µs: ${condition}`)
        await new Promise<void>((resolve) => {
          clock.after(5_000, resolve)
        })
      }
    },
    async close() {
      cluster.stop()
      clock.stop()
      if (errors.length > 0) throw errors[0]
    },
  }
}

describe.skipIf(unavailable)('local', () => describeKube('a real API server', remotePlace))
