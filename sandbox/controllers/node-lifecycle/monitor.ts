import { ApiError } from '../../kube/errors.ts'
import { Node } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'
import { all, sleep, type Task } from '../../world/actor.ts'
import { ms, toRfc3339, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { type GracePeriods, type NodeHealth, observed, silent } from './health.ts'
import type { Heartbeats } from './heartbeats.ts'
import { markPodsNotReady, podsByNode } from './pods-not-ready.ts'
import type { TaintPasses } from './taint-passes.ts'
import { hasTaint, NOT_READY, removeTaints, swapTaints, type TaintWriter, UNREACHABLE } from './taints.ts'
import type { Zones } from './zones.ts'

export interface MonitorOptions extends GracePeriods {
  readonly kube: Kube
  readonly world: World
  readonly writer: TaintWriter
  readonly heartbeats: Heartbeats
  readonly zones: Zones
  readonly tainting: TaintPasses
}

const WORKERS = 8
const TRIES = 5
const RETRY_AFTER = ms(20)
/** Enough to go back over the time between two renewals. */
const PASSES_KEPT = 16

/**
 * Looks at the nodes, pass by pass: those that went silent become Unknown and their pods not ready, those not ready are handed to
 * the tainters. A node whose heartbeats are steady, that is ready and has not changed is passed over: nothing would happen.
 * Follows monitorNodeHealth of pkg/controller/nodelifecycle/node_lifecycle_controller.go.
 */
export class NodeMonitor {
  /** By node name. */
  readonly health = new Map<string, NodeHealth>()
  private readonly options: MonitorOptions
  private readonly known = new Map<string, o.Node>()
  /** Nodes to look at in the next pass. */
  private readonly attention = new Set<string>()
  private readonly retry = new Set<string>()
  private readonly passes: Us[] = []
  /** When all nodes were last forgiven their silence. */
  private forgivenAt: Us = -1

  constructor(options: MonitorOptions) {
    this.options = options
    const look = (node: o.Node) => this.attention.add(node.metadata.name)
    options.kube.watch(Node, {
      added: look,
      updated: (_, node) => look(node),
      deleted: (node) => {
        this.retry.delete(node.metadata.name)
        look(node)
      },
    })
    options.heartbeats.watch((name) => this.attention.add(name))
  }

  *pass(): Task {
    const { kube, zones, world } = this.options
    this.passes.push(world.clock.now)
    if (this.passes.length > PASSES_KEPT) this.passes.shift()
    const nodes: o.Node[] = []
    for (const name of this.attention) {
      const node = kube.get(Node, name)
      if (!node) this.gone(name)
      else nodes.push(node)
    }
    for (const node of nodes) yield* this.meet(node)
    if (nodes.length > 0) {
      let next = 0
      const self = this
      const worker = function* (): Task {
        while (next < nodes.length) yield* self.look(nodes[next++]!)
      }
      yield* all(Array.from({ length: Math.min(WORKERS, nodes.length) }, worker))
    }
    const disruption = zones.update(world.clock.now)
    if (disruption === 'entered') for (const node of kube.list(Node)) yield* this.reachable(node)
    if (disruption === 'left') this.forgive()
  }

  private gone(name: string): void {
    this.attention.delete(name)
    const node = this.known.get(name)
    if (!node) return
    this.options.kube.event(node, 'Normal', 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`)
    this.known.delete(name)
    this.health.delete(name)
    this.options.zones.forget(name)
  }

  private *meet(node: o.Node): Task {
    const { name } = node.metadata
    this.options.zones.know(node)
    if (this.known.has(name)) return
    this.known.set(name, node)
    this.options.kube.event(
      node,
      'Normal',
      'RegisteredNode',
      `Node ${name} event: Registered Node ${name} in Controller`,
    )
    yield* this.reachable(node)
  }

  private *look(listed: o.Node): Task {
    const { kube, world, zones } = this.options
    const { name } = listed.metadata
    const outcome = yield* this.updateHealth(listed)
    if (!outcome) return
    const { node, was } = outcome
    const ready = condition(node, 'Ready')
    zones.count(node, ready?.status === 'True')
    const quiet = ready?.status === 'True' && this.options.heartbeats.steady(name)
    if (!ready) return
    const pods = kube.indexed(podsByNode, name)
    yield* this.taint(node, ready.status)
    const fell = ready.status !== 'True' && was?.status === 'True'
    if (fell) kube.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
    if (fell || (this.retry.has(name) && was?.status !== 'True')) {
      if (yield* markPodsNotReady({ kube, world }, pods)) {
        this.retry.add(name)
        return
      }
    }
    this.retry.delete(name)
    if (quiet && kube.get(Node, name) === listed) this.attention.delete(name)
  }

  /** The node as it is now and its Ready condition as it was; undefined when it is gone or the server would not have it. */
  private *updateHealth(listed: o.Node): Task<{ node: o.Node; was: o.Condition | undefined } | undefined> {
    const { kube } = this.options
    let node = listed
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const was = condition(node, 'Ready')
      const after = this.judge(node)
      try {
        if (after !== node) {
          node = yield* kube.updateStatus(Node, after)
          const health = this.health.get(node.metadata.name)
          if (health) health.ready = condition(node, 'Ready')
        }
        return { node, was }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
      }
      try {
        node = yield* kube.read(Node, listed.metadata.name)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        return undefined
      }
      if (attempt < TRIES) yield* sleep(RETRY_AFTER)
    }
    return undefined
  }

  /** The node with its conditions unknown when it has been silent for too long. Follows tryUpdateNodeHealth. */
  private judge(node: o.Node): o.Node {
    const { world, heartbeats, monitorGrace, startupGrace } = this.options
    const { now } = world.clock
    const { name } = node.metadata
    const health = observed(this.health.get(name), node, now)
    const seenAt = heartbeats.seenAt(name, now)
    if (seenAt !== undefined && (health.renewalSeenAt === undefined || seenAt > health.renewalSeenAt)) {
      health.renewalSeenAt = seenAt
      health.probeAt = Math.max(health.probeAt, this.passAfter(seenAt), this.forgivenAt)
    }
    this.health.set(name, health)
    const grace = health.ready ? monitorGrace : startupGrace
    return now > health.probeAt + grace ? silent(node, now) : node
  }

  /** The first pass that knew of what was seen at this time: passes in between passed the node over. */
  private passAfter(seenAt: Us): Us {
    return this.passes.find((at) => at >= seenAt) ?? this.options.world.clock.now
  }

  /** Follows processTaintBaseEviction. */
  private *taint(node: o.Node, status: o.Condition['status']): Task {
    if (status === 'True') return yield* this.reachable(node)
    const [add, remove] = status === 'False' ? [NOT_READY, UNREACHABLE] : [UNREACHABLE, NOT_READY]
    const { writer, world, tainting } = this.options
    const { now } = world.clock
    if (hasTaint(node, remove)) yield* swapTaints(writer, node, { add: [add], remove: [remove], at: toRfc3339(now) })
    else tainting.enqueue(node, add)
  }

  /** Follows markNodeAsReachable. */
  private *reachable(node: o.Node): Task {
    const { writer, zones } = this.options
    try {
      yield* removeTaints(writer, node, [UNREACHABLE])
      yield* removeTaints(writer, node, [NOT_READY])
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return
    }
    zones.tainterOf(node).remove(node.metadata.name)
  }

  /** Some node is ready again after none was: all silence counts from now. */
  private forgive(): void {
    this.forgivenAt = this.options.world.clock.now
    for (const health of this.health.values()) health.probeAt = this.forgivenAt
  }
}
