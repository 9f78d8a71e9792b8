import type { Kube } from '../../../kube/kube.ts'
import { Signal, sleep, type Task } from '../../../world/actor.ts'
import { seconds } from '../../../world/time.ts'
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
 * Karpenter: buys nodes for pods that fit nowhere by the cluster's NodePools, and consolidates them. Drift, static pools,
 * minValues, node repair and scheduled budgets are left out. Follows sigs.k8s.io/karpenter 1.12. Returns its claims.
 */
export function runKarpenter(options: KarpenterOptions): Claims {
  const { world, park, catalogue, delays = typicalDelays } = options
  const kube = options.kube.client('karpenter')
  const random = world.random('karpenter')
  const claims = new Claims({ world, kube, park, delays, random })
  const view = new ClusterView({ kube, claims, catalogue })
  const arrived = new Signal()
  const pending = new PendingPods(kube, () => arrived.notify())
  world.spawn('karpenter/provisioning', provision({ kube, world, claims, view, pending, arrived }))
  world.spawn('karpenter/disruption', new Disruption({ world, kube, claims, view, random }).run())
  return claims
}

function* provision(parts: {
  kube: Kube
  world: World
  claims: Claims
  view: ClusterView
  pending: PendingPods
  arrived: Signal
}): Task {
  const { kube, world, claims, view, pending, arrived } = parts
  const told = new Set<string>()
  for (;;) {
    if (pending.size === 0) yield* arrived.wait()
    else yield* arrived.waitFor(AGAIN_AFTER)
    const until = world.clock.now + BATCH_MAX
    while (world.clock.now < until && (yield* arrived.waitFor(BATCH_IDLE)));
    if (pending.size === 0) continue
    const { plans, failed } = pack(pending.list(), view.simulator(), view.pools())
    for (const plan of plans) {
      const claim = yield* claims.create(plan)
      if (!claim) continue
      for (const pod of plan.pods)
        kube.event(pod, 'Normal', 'Nominated', `Pod should schedule on: nodeclaim/${claim.name}`)
    }
    for (const pod of failed) {
      if (told.has(pod.metadata.uid)) continue
      told.add(pod.metadata.uid)
      const why = 'no instance type met the scheduling requirements or had a required offering'
      kube.event(pod, 'Warning', 'FailedScheduling', `Failed to schedule pod, ${why}`)
    }
    yield* sleep(0)
  }
}
