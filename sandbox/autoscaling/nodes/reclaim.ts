import type { Instances } from '../../controllers/node-lifecycle/cloud.ts'
import { addTaints } from '../../controllers/node-lifecycle/taints.ts'
import { ApiError } from '../../kube/errors.ts'
import type { Kube } from '../../kube/kube.ts'
import { drain } from '../../kubectl/drain.ts'
import type { RunningNode } from '../../nodes/node.ts'
import { sleep } from '../../world/actor.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'

/** Who acts on the notice that a machine will be taken away. */
export type TerminationHandler =
  /** AWS Node Termination Handler and the like: taints and drains the node by its Kube, `reactsAfter` the notice. */
  | { readonly kind: 'drain'; readonly kube: Kube; readonly reactsAfter?: Us; readonly taintKey?: string }
  /** The kubelet's own graceful node shutdown, as on GKE: pods end in order, within the given periods. */
  | { readonly kind: 'graceful-shutdown'; readonly gracePeriod: Us; readonly criticalGracePeriod: Us }

export interface ReclaimOptions {
  readonly world: World
  /** From the notice until the machine is gone: 120 s for AWS spot, 30 s for GCP and Azure. */
  readonly notice: Us
  /** Nobody, when left out: the node just goes. */
  readonly handler?: TerminationHandler
}

/** A poll of the instance metadata, as the termination handler does every 2 s. */
const REACTS_AFTER = seconds(2)
const TAINT = 'aws-node-termination-handler/spot-itn'

/** The cloud takes a machine back: notice, handler, end. The Node object is left to the cloud's controller. */
export function reclaim(node: RunningNode, { world, notice, handler }: ReclaimOptions): void {
  world.clock.after(notice, () => node.destroy())
  if (handler?.kind === 'graceful-shutdown') {
    const { gracePeriod, criticalGracePeriod } = handler
    node.shutDown({ gracePeriod, criticalGracePeriod })
  } else if (handler) world.spawn(`termination-handler/${node.name}`, sendPodsAway(node, world, handler, notice))
}

function* sendPodsAway(
  node: RunningNode,
  world: World,
  { kube, reactsAfter = REACTS_AFTER, taintKey = TAINT }: Extract<TerminationHandler, { kind: 'drain' }>,
  notice: Us,
) {
  const random = world.random(`termination-handler/${node.name}`)
  const until = world.clock.now + notice
  yield* sleep(reactsAfter)
  try {
    yield* addTaints({ kube, random }, node.name, [{ key: taintKey, effect: 'NoSchedule' }])
    const timeout = Math.max(until - world.clock.now, seconds(1))
    yield* drain(kube, node.name, { ignoreDaemonSets: true, deleteEmptyDirData: true, force: true, timeout })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

/** What the cloud says of simulated machines: for `cloudNodeLifecycleController`. A node it never had is running elsewhere. */
export const instancesOf = (nodes: ReadonlyMap<string, RunningNode>): Instances => ({
  state({ metadata: { name } }) {
    const power = nodes.get(name)?.power
    return power === 'gone' ? 'gone' : power === 'off' ? 'stopped' : 'running'
  },
})
