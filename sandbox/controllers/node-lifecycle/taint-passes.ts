import { ApiError } from '../../kube/errors.ts'
import { Node } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'
import { Signal, sleep, type Task } from '../../world/actor.ts'
import { ms, toRfc3339, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { ZoneTainter } from './tainter.ts'
import { hasTaint, NOT_READY, swapTaints, type TaintWriter, UNREACHABLE } from './taints.ts'
import type { Zones } from './zones.ts'

const PERIOD = ms(100)
const RETRY_AFTER: Us = ms(50)

/**
 * Puts NoExecute taints on nodes that wait for them, zone by zone, every 100 ms while any waits.
 * Follows doNoExecuteTaintingPass and markNodeForTainting of pkg/controller/nodelifecycle/node_lifecycle_controller.go.
 */
export class TaintPasses {
  private readonly writer: TaintWriter
  private readonly world: World
  private readonly zones: Zones
  private readonly wake = new Signal()

  constructor(options: { writer: TaintWriter; world: World; zones: Zones }) {
    this.writer = options.writer
    this.world = options.world
    this.zones = options.zones
  }

  /** The node is to get the taint when its zone's turn comes. */
  enqueue(node: o.Node, taint: o.Taint): void {
    const tainter = this.zones.tainterOf(node)
    if (!hasTaint(node, taint)) tainter.remove(node.metadata.name)
    if (tainter.add(node.metadata.name, this.world.clock.now)) this.wake.notify()
  }

  *run(): Task {
    const { clock } = this.world
    const phase = this.writer.random.int(PERIOD)
    for (;;) {
      const waiting = [...this.zones.tainters.values()].filter((tainter) => tainter.waiting)
      if (waiting.length === 0) yield* this.wake.wait()
      else for (const tainter of waiting) yield* this.pass(tainter)
      yield* sleep(PERIOD - ((((clock.now - phase) % PERIOD) + PERIOD) % PERIOD))
    }
  }

  private *pass(tainter: ZoneTainter): Task {
    for (;;) {
      const { now } = this.world.clock
      const name = tainter.next(now)
      if (name === undefined) return
      const done = yield* this.taint(name)
      if (done === 'later') tainter.retry(name, now + RETRY_AFTER)
      else if (done === 'failed') tainter.retry(name, now)
      else tainter.handled(name)
    }
  }

  private *taint(name: string): Task<'done' | 'failed' | 'later'> {
    const node = this.writer.kube.get(Node, name)
    if (!node) return 'done'
    const ready = condition(node, 'Ready')
    if (!ready) return 'later'
    if (ready.status === 'True') return 'done'
    const [add, remove] = ready.status === 'False' ? [NOT_READY, UNREACHABLE] : [UNREACHABLE, NOT_READY]
    try {
      const at = toRfc3339(this.world.clock.now)
      return (yield* swapTaints(this.writer, node, { add: [add], remove: [remove], at })) ? 'done' : 'failed'
    } catch (error) {
      if (error instanceof ApiError) return 'failed'
      throw error
    }
  }
}
