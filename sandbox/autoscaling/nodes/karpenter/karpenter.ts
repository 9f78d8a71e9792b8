import { Pod } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { Signal, type Task } from '../../../world/actor.ts'
import { seconds, type Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import { type MachinePark, type ProvisioningDelays, typicalDelays } from '../machines.ts'
import { PendingPods } from '../pending-pods.ts'
import type { InstanceType } from './candidates.ts'
import { Claims } from './claims.ts'
import { ClusterView } from './cluster-view.ts'
import { Disruption } from './disruption.ts'
import { pack } from './packing.ts'

export interface KarpenterOptions {
  readonly world: World
  /** A client of the process `karpenter`. */
  readonly kube: Kube
  readonly park: MachinePark
  /** What the cloud sells. */
  readonly catalogue: readonly InstanceType[]
  readonly delays?: ProvisioningDelays
}

/** `--batch-idle-duration` and `--batch-max-duration`. */
const BATCH_IDLE = seconds(1)
const BATCH_MAX = seconds(10)
/** Pods that still wait are looked at again this often. Follows pkg/controllers/provisioning/controller.go. */
const AGAIN_AFTER = seconds(10)

/**
 * Karpenter: buys nodes for pods that fit nowhere by the cluster's NodePools, consolidates them, and replaces those that drifted or
 * expired. Static pools, node repair, overlays, reserved capacity and preferences of pods are left out. Follows
 * sigs.k8s.io/karpenter 1.12 (pkg/controllers/{provisioning,disruption,nodeclaim,node,state}). Returns its claims.
 */
export function runKarpenter(options: KarpenterOptions): Claims {
  const { world, park, catalogue, delays = typicalDelays } = options
  const kube = options.kube.client('karpenter')
  const random = world.random('karpenter')
  const claims = new Claims({ world, kube, park, delays, random, deleting: () => arrived.notify() })
  const view = new ClusterView({ kube, claims, catalogue })
  const arrived = new Signal()
  const pending = new PendingPods(kube, () => arrived.notify())
  const nominations = new Nominations()
  world.spawn(
    'karpenter/provisioning',
    new Provisioner({ world, kube, claims, view, pending, arrived, nominations }).run(),
  )
  const disruption = new Disruption({ world, kube, claims, view, random, pending, nominations })
  world.spawn('karpenter/disruption', disruption.run())
  return claims
}

/** Nodes that pods were just sent to are not disrupted. Follows nominationWindow in pkg/controllers/state/statenode.go. */
export class Nominations {
  private readonly until = new Map<string, Us>()

  add(node: string, now: Us): void {
    this.until.set(node, now + 2 * BATCH_MAX)
  }

  has(node: string, now: Us): boolean {
    return (this.until.get(node) ?? 0) > now
  }
}

interface ProvisionerParts {
  readonly kube: Kube
  readonly world: World
  readonly claims: Claims
  readonly view: ClusterView
  readonly pending: PendingPods
  readonly arrived: Signal
  readonly nominations: Nominations
}

/** Follows pkg/controllers/provisioning/provisioner.go. */
class Provisioner {
  private readonly parts: ProvisionerParts
  private readonly told = new Map<string, string>()

  constructor(parts: ProvisionerParts) {
    this.parts = parts
  }

  *run(): Task {
    const { world, arrived } = this.parts
    for (;;) {
      if (!this.hasWork()) yield* arrived.wait()
      else yield* arrived.waitFor(AGAIN_AFTER)
      const until = world.clock.now + BATCH_MAX
      while (world.clock.now < until && (yield* arrived.waitFor(BATCH_IDLE)));
      yield* this.provision()
    }
  }

  private hasWork(): boolean {
    const { pending, claims } = this.parts
    return pending.size > 0 || [...claims.all.values()].some(({ state }) => state === 'deleting')
  }

  private *provision(): Task {
    const { world, view, pending, claims, kube, nominations } = this.parts
    const { now } = world.clock
    const pods = [...pending.list(), ...view.leaving(now)]
    if (pods.length === 0) return
    const { plans, placed, failed } = pack(pods, view.simulator(), view.pools())
    for (const node of placed.values()) nominations.add(node, now)
    for (const plan of plans) {
      const claim = yield* claims.create(plan)
      if (!claim) continue
      nominations.add(claim.name, now)
      for (const pod of plan.pods) this.nominate(pod, claim.name)
    }
    for (const [pod, why] of failed) {
      if (this.told.get(pod.metadata.uid) === why) continue
      this.told.set(pod.metadata.uid, why)
      kube.event(pod, 'Warning', 'FailedScheduling', `Failed to schedule pod, ${why}`)
    }
  }

  private nominate(pod: o.Pod, claim: string): void {
    const known = this.parts.kube.get(Pod, `${pod.metadata.namespace}/${pod.metadata.name}`)
    if (known) this.parts.kube.event(known, 'Normal', 'Nominated', `Pod should schedule on: nodeclaim/${claim}`)
  }
}
