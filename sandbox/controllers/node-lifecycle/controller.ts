import { ApiError } from '../../kube/errors.ts'
import { keyOf, Node, Pod } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { sleep, type Task } from '../../world/actor.ts'
import { seconds, toRfc3339, type Us } from '../../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller, watching } from '../controller.ts'
import { RetryError } from '../retry.ts'
import { noScheduleTaints } from './health.ts'
import { type Heartbeats, LeaseHeartbeats } from './heartbeats.ts'
import { NodeMonitor } from './monitor.ts'
import { markPodsNotReady } from './pods-not-ready.ts'
import { TaintPasses } from './taint-passes.ts'
import { swapTaints } from './taints.ts'
import { defaultEvictionRates, type EvictionRates, Zones } from './zones.ts'

export interface NodeLifecycleOptions extends Partial<EvictionRates> {
  /** Where heartbeats are known from. Left out: Lease objects, which the nodes must then renew. */
  readonly heartbeats?: Heartbeats
  /** `--node-monitor-period`, 5 s. */
  readonly monitorPeriod?: Us
  /** `--node-monitor-grace-period`, 50 s since 1.32. */
  readonly monitorGrace?: Us
  /** `--node-startup-grace-period`, 60 s. */
  readonly startupGrace?: Us
}

const NODE = 'node/'
const POD = 'pod/'

/**
 * Finds out which nodes are gone: Unknown when silent, tainted, their pods not ready. One instance a running control plane.
 * Follows pkg/controller/nodelifecycle/node_lifecycle_controller.go; events come from `kube-controller-manager`.
 */
export function nodeLifecycleController(options: NodeLifecycleOptions = {}): ControllerSpec {
  let monitor: NodeMonitor | undefined
  return controller({
    name: 'node-lifecycle-controller',
    // 8 for nodes and 4 for pods
    workers: 12,
    watches: [
      (context) => {
        monitor = start(context, options)
      },
      watching(Node, ({ queue }) => ({
        added: (node) => queue.add(NODE + keyOf(node)),
        updated: (before, node) => {
          if (before.spec !== node.spec || before.status.conditions !== node.status.conditions)
            queue.add(NODE + keyOf(node))
        },
      })),
      watching(Pod, ({ queue }) => {
        const suspect = (nodeName: string) => {
          const ready = monitor?.health.get(nodeName)?.ready
          return ready !== undefined && ready.status !== 'True'
        }
        const bound = (pod: o.Pod) => {
          if (pod.spec.nodeName && suspect(pod.spec.nodeName)) queue.add(POD + keyOf(pod))
        }
        return {
          added: bound,
          updated: (before, pod) => {
            if (before.spec.nodeName !== pod.spec.nodeName) bound(pod)
          },
        }
      }),
    ],
    *reconcile(key, context) {
      if (key.startsWith(NODE)) yield* reconcileNode(key.slice(NODE.length), context)
      else yield* reconcilePod(key.slice(POD.length), context, monitor!)
    },
  })
}

function start({ kube, world, random }: ControllerContext, options: NodeLifecycleOptions): NodeMonitor {
  const { monitorPeriod = seconds(5), monitorGrace = seconds(50), startupGrace = seconds(60) } = options
  const zones = new Zones({ ...defaultEvictionRates, ...options })
  const writer = { kube, random }
  const tainting = new TaintPasses({ writer, world, zones })
  const heartbeats = options.heartbeats ?? new LeaseHeartbeats({ kube, clock: world.clock })
  const monitor = new NodeMonitor({ kube, world, writer, heartbeats, zones, tainting, monitorGrace, startupGrace })
  world.spawn('node-lifecycle-controller/taints', tainting.run())
  world.spawn(
    'node-lifecycle-controller/monitor',
    (function* (): Task {
      for (;;) {
        yield* monitor.pass()
        yield* sleep(monitorPeriod)
      }
    })(),
  )
  return monitor
}

/** A node's NoSchedule taints and its labels of old and new names. What fails waits for the node's next change, as upstream. */
function* reconcileNode(name: string, { kube, random, now }: ControllerContext): Task {
  const node = kube.get(Node, name)
  if (!node) return
  const { add, remove } = noScheduleTaints(node)
  if (add.length + remove.length > 0) yield* swapTaints({ kube, random }, node, { add, remove, at: toRfc3339(now) })
  const labels = missingLabels(node.metadata.labels ?? {})
  if (Object.keys(labels).length === 0) return
  try {
    yield* kube.patch(Node, name, { metadata: { labels } })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

const BETA_LABELS = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const

/** Follows reconcileNodeLabels. */
function missingLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const wanted: Record<string, string> = {}
  for (const [stable, beta] of BETA_LABELS) {
    const value = labels[stable]
    if (value !== undefined && labels[beta] !== value) wanted[beta] = value
  }
  return wanted
}

/** A pod that came to a node which is not ready. Follows processPod. */
function* reconcilePod(key: string, { kube, world }: ControllerContext, monitor: NodeMonitor): Task {
  const pod = kube.get(Pod, key)
  const ready = monitor.health.get(pod?.spec.nodeName ?? '')?.ready
  if (!pod || !ready || ready.status === 'True' || !kube.get(Node, pod.spec.nodeName!)) return
  const failed = yield* markPodsNotReady({ kube, world }, [pod])
  if (failed) throw new RetryError(failed.message)
}
