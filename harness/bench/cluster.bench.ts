import { Deployment } from '../../sandbox/kube/kinds.ts'
import { lagProfiles } from '../../sandbox/kube/lag.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import type { Draft } from '../../sandbox/kube/objects.ts'
import { plainPrograms } from '../../sandbox/nodes/plain-program.ts'
import { sim } from '../../sandbox/tiers/sim/sim.ts'
import type { VirtualClock } from '../../sandbox/world/clock.ts'
import { seconds, toSeconds } from '../../sandbox/world/time.ts'
import { deployment, machine, REPLICAS_PER_NODE } from './large-cluster.ts'
import { printCosts } from './meter.ts'

/**
 * A large cluster from nothing to all Ready, journal on: `node harness/bench/cluster.bench.ts [LAG [NODES]]`. Nodes have 8 GPUs, and one
 * Deployment of a plain server takes them all, two a pod.
 */
const [lagName = 'default', nodeCount = '1000'] = process.argv.slice(2)
const nodes = Number(nodeCount)
const replicas = REPLICAS_PER_NODE * nodes
const lag = lagProfiles.find(({ name }) => name === lagName)
if (!lag) throw new Error(`no lag profile ${lagName}`)

await printCosts(async () => {
  const sandbox = await sim.up({
    seed: 1,
    nodes: [{ ...machine, name: 'gpu', count: nodes }],
    programFor: plainPrograms(),
    imageBytes: () => 1e9,
    registryBytesPerSecond: 400e6,
    lag,
  })
  await sandbox.run('kubectl', sandbox.kube.create(Deployment, deployment(replicas) as unknown as Draft<o.Deployment>))
  const { clock, journal } = sandbox.world
  for (let ready = 0; ready < replicas; ) {
    await sandbox.runUntil(clock.now + seconds(10))
    ready = (await sandbox.run('kubectl', sandbox.kube.read(Deployment, 'default/server'))).status.readyReplicas ?? 0
    if (clock.now > seconds(4 * 3600)) throw new Error(`${ready} of ${replicas} Ready after 4 simulated hours`)
  }
  const { events } = clock as VirtualClock
  return { simulatedS: toSeconds(clock.now), events, records: journal.records.length }
})
