import { runController } from '../../controllers/controller.ts'
import { deploymentController } from '../../controllers/deployment.ts'
import { endpointSliceController } from '../../controllers/endpointslice.ts'
import { garbageCollector } from '../../controllers/garbage-collector.ts'
import { podGarbageCollector } from '../../controllers/pod-gc.ts'
import { replicaSetController } from '../../controllers/replicaset.ts'
import type { StoreKube } from '../../kube/store-kube.ts'
import { runScheduler } from '../../scheduler/scheduler.ts'
import type { World } from '../../world/world.ts'

/** Starts the processes of the control plane: each with a client, a cache and a lag of its own. */
export function startControlPlane(options: { world: World; kubeOf: (process: string) => StoreKube }): void {
  const { world, kubeOf } = options
  const manager = kubeOf('kube-controller-manager')
  for (const spec of [
    replicaSetController,
    deploymentController,
    endpointSliceController(),
    garbageCollector(),
    podGarbageCollector(),
  ])
    runController(spec, { world, kube: manager })
  runScheduler({ world, kube: kubeOf('kube-scheduler') })
}
