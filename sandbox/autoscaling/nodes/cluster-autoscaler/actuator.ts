import { addTaints, removeTaints } from '../../../controllers/node-lifecycle/taints.ts'
import { ApiError } from '../../../kube/errors.ts'
import { Node } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import type { Task } from '../../../world/actor.ts'
import type { RandomStream } from '../../../world/random.ts'
import { EPOCH_MS, seconds, type Us } from '../../../world/time.ts'
import type { World } from '../../../world/world.ts'
import { deleteNode, evacuate, residents } from '../evacuate.ts'
import type { NodeGroup } from './node-group.ts'
import type { ClusterAutoscalerFlags } from './options.ts'
import type { Removable } from './planner.ts'

export interface ActuatorParts {
  readonly world: World
  readonly kube: Kube
  readonly flags: ClusterAutoscalerFlags
  readonly groups: readonly NodeGroup[]
  readonly random: RandomStream
  /** Called when a node has gone, or could not be emptied. */
  readonly ended: (failed: boolean) => void
}

const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler'
const CANDIDATE = 'DeletionCandidateOfClusterAutoscaler'

/** Empties and deletes nodes. Follows core/scaledown/actuation/{actuator,drain,delete,softtaint}.go. */
export class Actuator {
  readonly deleting = new Set<string>()
  private readonly draining = new Set<string>()
  private readonly marked = new Map<string, o.Taint>()
  private readonly parts: ActuatorParts

  constructor(parts: ActuatorParts) {
    this.parts = parts
  }

  /** Begins as many as may go at once; says whether any did. */
  start({ empty, drain }: Removable): boolean {
    const { flags } = this.parts
    const room = flags.maxScaleDownParallelism - this.deleting.size
    const empties = empty.slice(0, Math.max(0, room))
    const drains = drain.slice(
      0,
      Math.max(0, Math.min(room - empties.length, flags.maxDrainParallelism - this.draining.size)),
    )
    for (const name of empties) this.begin(name, false)
    for (const name of drains) this.begin(name, true)
    return empties.length + drains.length > 0
  }

  /** Pods had better go elsewhere than to nodes that may go soon. */
  *markCandidates(unneeded: ReadonlySet<string>): Task {
    const { kube, random, flags, groups } = this.parts
    let left = flags.maxBulkSoftTaintCount
    for (const { members } of groups)
      for (const name of members.keys()) {
        const wanted = unneeded.has(name)
        const known = this.marked.get(name)
        const node = kube.get(Node, name)
        if (left === 0 || wanted === (known !== undefined) || !node) continue
        left--
        const taint = known ?? this.taint(CANDIDATE, 'PreferNoSchedule')
        try {
          if (wanted) yield* addTaints({ kube, random }, name, [taint])
          else yield* removeTaints({ kube, random }, yield* kube.read(Node, name), [taint])
          if (wanted) this.marked.set(name, taint)
          else this.marked.delete(name)
        } catch (error) {
          if (!(error instanceof ApiError)) throw error
        }
      }
  }

  private taint(key: string, effect: o.Taint['effect']): o.Taint {
    return { key, value: String(Math.floor(EPOCH_MS / 1000 + this.parts.world.clock.now / 1e6)), effect }
  }

  private begin(name: string, drain: boolean): void {
    const { groups, world } = this.parts
    const group = groups.find(({ members }) => members.has(name))!
    this.deleting.add(name)
    if (drain) this.draining.add(name)
    world.spawn(`cluster-autoscaler/${name}`, this.remove(group, name, drain))
  }

  private *remove(group: NodeGroup, name: string, drain: boolean): Task {
    const { kube, flags, random } = this.parts
    const taint = this.taint(TO_BE_DELETED, 'NoSchedule')
    let failure: string | undefined
    try {
      yield* addTaints({ kube, random }, name, [taint])
      if (flags.cordonNodeBeforeTerminating) yield* kube.patch(Node, name, { spec: { unschedulable: true } })
      this.say(name, 'Normal', 'ScaleDown', 'marked the node as toBeDeleted/unschedulable')
      failure = yield* this.empty(name, drain)
      if (failure === undefined) {
        this.say(name, 'Normal', 'ScaleDown', 'node removed by cluster autoscaler')
        group.remove(name)
        yield* deleteNode(kube, name)
      } else {
        this.say(name, 'Warning', 'ScaleDownFailed', failure)
        yield* removeTaints({ kube, random }, yield* kube.read(Node, name), [taint])
        if (flags.cordonNodeBeforeTerminating) yield* kube.patch(Node, name, { spec: { unschedulable: null } })
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      failure ??= error.message
    }
    this.deleting.delete(name)
    this.draining.delete(name)
    this.marked.delete(name)
    this.parts.ended(failure !== undefined)
  }

  /** Says what went wrong. */
  private *empty(name: string, drain: boolean): Task<string | undefined> {
    const { kube, world, flags } = this.parts
    if (!drain)
      return residents(kube, name, world.clock.now).length === 0
        ? undefined
        : `failed to delete empty node: failed to delete empty node "${name}", new pods scheduled`
    const { maxGracefulTerminationSeconds: grace, maxPodEvictionTime: evictFor } = flags
    const endWithin: Us = seconds(grace + 30)
    const gone = yield* evacuate(name, { kube, clock: world.clock, evictFor, endWithin, gracePeriodSecondsMax: grace })
    return gone
      ? undefined
      : `failed to drain and delete node: Failed to drain node /${name}: pods remaining after timeout`
  }

  private say(name: string, level: 'Normal' | 'Warning', reason: string, message: string): void {
    const { kube } = this.parts
    const node = kube.get(Node, name)
    if (node) kube.event(node, level, reason, message)
  }
}
