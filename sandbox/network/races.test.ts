import { describe, expect, it } from 'vitest'
import { deploymentController } from '../controllers/deployment.ts'
import { endpointSliceController } from '../controllers/endpointslice.ts'
import { replicaSetController } from '../controllers/replicaset.ts'
import { deploymentOf, rollout, serviceOf, setImage, settle, testCluster, WEB } from '../controllers/testkit.ts'
import { isApiError } from '../kube/errors.ts'
import { Deployment, keyOf, Pod, Service } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import { defaultProfile, instant, type LagProfile } from '../kube/lag.ts'
import { isActive } from '../kube/pods.ts'
import { sleep, type Task } from '../world/actor.ts'
import { ms, seconds } from '../world/time.ts'
import { KubeProxy } from './kube-proxy.ts'
import { PodNetwork } from './pod-network.ts'

/*
 * The three races of a rolling update that exist because caches lag. Each must be there with the default profile, and must
 * vanish when nothing lags: then it is the lag that makes it, and not a mistake of the simulation.
 */

describe('the SIGTERM race: a pod told to end still gets connections', () => {
  /** New connections a millisecond apart after a DELETE: how many met a closed port, and until when after it. */
  function refusals(profile: LagProfile, seed: number): { count: number; lastMs: number } {
    const network = new PodNetwork()
    const open = new Set<string>()
    const cluster = testCluster({
      profile,
      seed,
      controllers: [deploymentController, replicaSetController, endpointSliceController()],
      kubelet: {
        goneAfter: seconds(5),
        started(pod) {
          open.add(keyOf(pod))
          network.register(pod.status.podIP!, { podKey: keyOf(pod), accepts: () => open.has(keyOf(pod)) })
        },
        stopping: (pod) => open.delete(keyOf(pod)),
        gone: (pod) => network.unregister(pod.status.podIP!),
      },
    })
    const { store, world, clock } = cluster
    const proxy = new KubeProxy({ world, kube: cluster.kube('kube-proxy/n1'), nodeName: 'n1' })
    store.create(Service, serviceOf(), 'kubectl')
    store.create(Deployment, deploymentOf(3), 'kubectl')
    settle(cluster)
    store.delete(Pod, keyOf(cluster.pods()[0]!), 'kubectl')
    const from = clock.now
    const seen = { count: 0, lastMs: 0 }
    for (let after = 1; after <= 1000; after++) {
      clock.runUntil(from + ms(after))
      const verdict = proxy.connect({ service: WEB, port: 80, clientIP: 'client', from: 'cluster' })
      if (typeof verdict === 'string') throw new Error(`the Service lost all of its endpoints: ${verdict}`)
      if (network.connect(verdict.to.ip, verdict.to.port).kind === 'open') continue
      seen.count++
      seen.lastMs = after
    }
    return seen
  }

  it('is lost by requests in the first milliseconds', () => {
    const runs = Array.from({ length: 10 }, (_, seed) => refusals(defaultProfile, seed))
    const total = runs.reduce((sum, run) => sum + run.count, 0)
    expect(total).toBeGreaterThan(5)
    // it ends when the rules have the change, long before the pod does
    expect(Math.max(...runs.map((run) => run.lastMs))).toBeLessThan(500)
  })

  it('is not there when nothing lags', () => {
    expect(refusals(instant, 1)).toEqual({ count: 0, lastMs: 0 })
  })
})

describe('the surge race: old and new ReplicaSet act on their own', () => {
  /** The most pods not being deleted at one time in a rollout of 20 with maxSurge 5 and maxUnavailable 0. */
  function peak(profile: LagProfile, seed: number): number {
    const cluster = testCluster({
      profile,
      seed,
      controllers: [deploymentController, replicaSetController],
      kubelet: { readyAfter: ({ metadata }) => ms(100 + 3 * metadata.uid.charCodeAt(0)), goneAfter: seconds(2) },
    })
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 5, maxUnavailable: 0 } } as const
    cluster.store.create(Deployment, deploymentOf(20, { strategy }), 'kubectl')
    settle(cluster)
    let most = 0
    cluster.store.watch(Pod, {}, () => {
      most = Math.max(most, cluster.pods().filter(isActive).length)
    })
    setImage(cluster, 'v2')
    settle(cluster)
    expect(rollout(cluster)).toEqual(['v1 0/0', 'v2 20/20'])
    return most
  }

  it('makes more pods than replicas + maxSurge for a moment, in some rollouts', () => {
    const peaks = Array.from({ length: 30 }, (_, seed) => peak(defaultProfile, seed))
    expect(peaks.filter((most) => most > 25).length).toBeGreaterThan(0)
    expect(Math.min(...peaks)).toBe(25)
  })

  it('is not there when nothing lags', () => {
    const peaks = Array.from({ length: 10 }, (_, seed) => peak(instant, seed))
    expect(new Set(peaks)).toEqual(new Set([25]))
  })
})

describe('the conflict storm: several writers of one Deployment', () => {
  /** Sets the size 100 times from what its cache says, and again after each conflict, as client-go's RetryOnConflict would. */
  function* scaler(kube: Kube, phase: number, count: (what: 'written' | 'conflict') => void): Task {
    yield* sleep(ms(5 * phase))
    for (let n = 0; n < 100; ) {
      const deployment = kube.get(Deployment, WEB)!
      const replicas = 3 + ((n + phase) % 3)
      try {
        yield* kube.update(Deployment, { ...deployment, spec: { ...deployment.spec, replicas } })
        count('written')
        n++
        yield* sleep(ms(100))
      } catch (error) {
        if (!isApiError(error, 'Conflict')) throw error
        count('conflict')
        yield* sleep(ms(10))
      }
    }
  }

  function storm(profile: LagProfile) {
    // times that never coincide with the writers': who acts in the same microsecond is not a matter of lag
    const kubelet = { readyAfter: () => ms(37), goneAfter: ms(41) }
    const cluster = testCluster({ profile, kubelet, controllers: [deploymentController, replicaSetController] })
    const { store, world } = cluster
    store.create(Deployment, deploymentOf(3), 'kubectl')
    settle(cluster)
    const calm = world.journal.records.length
    const counts = { written: 0, conflict: 0, ofControllers: 0 }
    for (const [phase, process] of ['horizontal-pod-autoscaler', 'keda-operator', 'kubectl'].entries()) {
      const kube = cluster.kube(process)
      kube.watch(Deployment, {})
      world.spawn(
        process,
        scaler(kube, phase, (what) => counts[what]++),
      )
    }
    settle(cluster)
    const notes = world.journal.records.slice(calm).filter((r) => r.type === 'note' && r.text.startsWith('Conflict: '))
    counts.ofControllers = notes.length
    return { counts, end: rollout(cluster) }
  }

  it('is answered with 409s and retries, and every write gets through', () => {
    const { counts, end } = storm(defaultProfile)
    expect(counts.written).toBe(300)
    expect(counts.conflict).toBeGreaterThan(5)
    expect(counts.ofControllers).toBeGreaterThan(20)
    expect(end).toEqual([expect.stringMatching(/^v1 (\d)\/\1$/)])
  })

  it('is not there when nothing lags', () => {
    const { counts } = storm(instant)
    expect(counts).toEqual({ written: 300, conflict: 0, ofControllers: 0 })
  })
})
