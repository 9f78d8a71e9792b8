import { ApiError } from '../../kube/errors.ts'
import { Node } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'
import type { Task } from '../../world/actor.ts'
import { seconds, type Us } from '../../world/time.ts'
import { type ControllerContext, type ControllerSpec, controller } from '../controller.ts'
import { addTaints, removeTaints } from './taints.ts'

/** What the cloud knows of the machine behind a node. */
export interface Instances {
  state(node: o.Node): 'running' | 'stopped' | 'gone'
}

export interface CloudNodeLifecycleOptions {
  readonly instances: Instances
  /** `--node-monitor-period` of the cloud controller manager, 5 s. */
  readonly period?: Us
}

const SHUTDOWN: o.Taint = { key: 'node.cloudprovider.kubernetes.io/shutdown', effect: 'NoSchedule' }

/**
 * Deletes the Node of a machine that is gone, and marks that of a stopped one; looks only at nodes that are not ready.
 * Follows k8s.io/cloud-provider/controllers/nodelifecycle/node_lifecycle_controller.go.
 */
export function cloudNodeLifecycleController(options: CloudNodeLifecycleOptions): ControllerSpec {
  const { period = seconds(5) } = options
  return controller({
    name: 'cloud-node-lifecycle-controller',
    workers: 1,
    watches: [
      ({ kube, queue, world }) => {
        const phase = world.clock.now % period
        const look = (node: o.Node) => {
          const shut = node.spec.taints?.some((t) => t.key === SHUTDOWN.key)
          if (condition(node, 'Ready')?.status === 'True' && !shut) return
          const { now } = world.clock
          queue.addAfter(node.metadata.name, phase + Math.ceil((now - phase) / period) * period - now)
        }
        kube.watch(Node, { added: look, updated: (_, node) => look(node) })
      },
    ],
    *reconcile(name, context) {
      if (yield* look(name, context, options.instances)) context.queue.addAfter(name, period)
    },
  })
}

/** Whether the node is to be looked at again. */
function* look(name: string, { kube, random }: ControllerContext, instances: Instances): Task<boolean> {
  const node = kube.get(Node, name)
  if (!node) return false
  const writer = { kube, random }
  try {
    if (condition(node, 'Ready')?.status === 'True') {
      yield* removeTaints(writer, node, [SHUTDOWN])
      return false
    }
    const state = instances.state(node)
    if (state === 'stopped') yield* addTaints(writer, name, [SHUTDOWN])
    if (state === 'gone') {
      const message = `Deleting node ${name} because it does not exist in the cloud provider`
      kube.event(node, 'Normal', 'DeletingNode', message)
      yield* kube.delete(Node, name)
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
  return true
}
