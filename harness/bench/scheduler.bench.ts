import { Store } from '../../sandbox/apiserver/store.ts'
import { addReadyNode } from '../../sandbox/apiserver/testkit.ts'
import { Journal } from '../../sandbox/journal/journal.ts'
import { Pod, ReplicaSet } from '../../sandbox/kube/kinds.ts'
import { instant } from '../../sandbox/kube/lag.ts'
import { StoreKube } from '../../sandbox/kube/store-kube.ts'
import { runScheduler } from '../../sandbox/scheduler/scheduler.ts'
import { node, owner, pod, replicaSet } from '../../sandbox/scheduler/testing.ts'
import { VirtualClock } from '../../sandbox/world/clock.ts'
import { seconds } from '../../sandbox/world/time.ts'
import { createWorld } from '../../sandbox/world/world.ts'

/** Pods placed per second of this machine's time, with the API server's store in the loop. Run: `node harness/bench/scheduler.bench.ts`. */
function placePods(nodes: number, pods: number): { podsPerSecond: number; wallMs: number; bound: number } {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  const store = new Store({ world })
  const set = store.create(ReplicaSet, replicaSet('vllm'), 'bench')
  for (let i = 0; i < nodes; i++) addReadyNode(store, node(`gpu-${i}`, { gpus: 8, zone: `zone-${i % 3}` }))
  for (let i = 0; i < pods; i++)
    store.create(Pod, pod(`vllm-${i}`, { gpus: 2, cpu: '8', memory: '64Gi', ownerReferences: [owner(set)] }), 'bench')
  runScheduler({ world, kube: new StoreKube({ world, store, profile: instant, process: 'kube-scheduler' }) })
  const begun = process.hrtime.bigint()
  clock.runUntil(seconds(60))
  const wallMs = Number(process.hrtime.bigint() - begun) / 1e6
  const bound = store.list(Pod).filter(({ spec }) => spec.nodeName).length
  return { podsPerSecond: Math.round((bound / wallMs) * 1e3), wallMs: Math.round(wallMs), bound }
}

for (const [nodes, pods] of [
  [100, 400],
  [1000, 4000],
  [5000, 5000],
] as const)
  console.log(JSON.stringify({ nodes, pods, ...placePods(nodes, pods) }))
