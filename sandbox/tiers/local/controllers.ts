import { instancesOf } from '../../autoscaling/nodes/reclaim.ts'
import { runController } from '../../controllers/controller.ts'
import { csiAttacher } from '../../controllers/csi-attacher.ts'
import { cloudNodeLifecycleController } from '../../controllers/node-lifecycle/cloud.ts'
import { volumeProvisioner } from '../../controllers/volume-provisioner.ts'
import type { Kube } from '../../kube/kube.ts'
import type { RunningNode } from '../../nodes/node.ts'
import type { World } from '../../world/world.ts'
import { storageOf } from '../parts/storage.ts'

interface OwnControllers {
  readonly world: World
  readonly kubeOf: (process: string) => Kube
  readonly nodes: ReadonlyMap<string, RunningNode>
}

/** The controllers that a cloud and its drivers bring: kube-controller-manager has none of them. */
export function startOwnControllers({ world, kubeOf, nodes }: OwnControllers): void {
  const cloud = cloudNodeLifecycleController({ instances: instancesOf(nodes) })
  runController(cloud, { world, kube: kubeOf('cloud-controller-manager') })
  runController(volumeProvisioner(storageOf), { world, kube: kubeOf('csi-provisioner') })
  runController(csiAttacher(), { world, kube: kubeOf('csi-attacher') })
}
