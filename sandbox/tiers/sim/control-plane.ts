import { horizontalPodAutoscaler } from '../../autoscaling/hpa/controller.ts'
import type { MetricsClient } from '../../autoscaling/metrics-client.ts'
import { instancesOf } from '../../autoscaling/nodes/reclaim.ts'
import { attachDetachController } from '../../controllers/attach-detach.ts'
import { type ControllerSpec, runController } from '../../controllers/controller.ts'
import { csiAttacher } from '../../controllers/csi-attacher.ts'
import { daemonSetController } from '../../controllers/daemonset.ts'
import { deploymentController } from '../../controllers/deployment.ts'
import { disruptionController } from '../../controllers/disruption/disruption.ts'
import { staleDisruptionController } from '../../controllers/disruption/stale-condition.ts'
import { endpointSliceController } from '../../controllers/endpointslice.ts'
import { ephemeralVolumeController } from '../../controllers/ephemeral-volumes.ts'
import { garbageCollector } from '../../controllers/garbage-collector.ts'
import { jobController } from '../../controllers/job.ts'
import { cloudNodeLifecycleController } from '../../controllers/node-lifecycle/cloud.ts'
import { nodeLifecycleController } from '../../controllers/node-lifecycle/controller.ts'
import { persistentVolumeController } from '../../controllers/persistent-volumes.ts'
import { podGarbageCollector } from '../../controllers/pod-gc.ts'
import { replicaSetController } from '../../controllers/replicaset.ts'
import { resourceQuotaController } from '../../controllers/resourcequota/resource-quota.ts'
import { statefulSetController } from '../../controllers/statefulset.ts'
import { taintEvictionController } from '../../controllers/taint-eviction/controller.ts'
import { ttlAfterFinishedController } from '../../controllers/ttl-after-finished.ts'
import { volumeProvisioner } from '../../controllers/volume-provisioner.ts'
import { HorizontalPodAutoscaler, ScaledObject } from '../../kube/kinds.ts'
import type { StoreKube } from '../../kube/store-kube.ts'
import type { RunningNode } from '../../nodes/node.ts'
import type { NodeLeases } from '../../nodes/node-leases.ts'
import { runScheduler } from '../../scheduler/scheduler.ts'
import type { World } from '../../world/world.ts'
import { storageOf } from '../parts/storage.ts'
import type { SchedulerProcess } from '../scheduler-options.ts'

interface ControlPlane {
  readonly world: World
  readonly kubeOf: (process: string) => StoreKube
  readonly metrics: MetricsClient
  readonly leases: NodeLeases
  /** By name; machines that are gone stay in it. */
  readonly nodes: ReadonlyMap<string, RunningNode>
  readonly schedulers?: readonly SchedulerProcess[] | undefined
}

/** Starts the processes of the control plane: each with a client, a cache and a lag of its own. */
export function startControlPlane(options: ControlPlane): void {
  const { world, kubeOf } = options
  const manager = kubeOf('kube-controller-manager')
  for (const spec of controllers(options)) runController(spec, { world, kube: manager })
  runController(volumeProvisioner(storageOf), { world, kube: kubeOf('csi-provisioner') })
  runController(csiAttacher(), { world, kube: kubeOf('csi-attacher') })
  for (const { process, configuration } of options.schedulers ?? [{ process: 'kube-scheduler' } as SchedulerProcess])
    runScheduler({ world, kube: kubeOf(process), volumes: true, ...(configuration ? { configuration } : {}) })
}

const controllers = ({ metrics, leases, nodes }: ControlPlane): ControllerSpec[] => [
  replicaSetController,
  deploymentController,
  statefulSetController,
  daemonSetController(),
  jobController(),
  ttlAfterFinishedController,
  endpointSliceController(),
  disruptionController,
  staleDisruptionController,
  resourceQuotaController(),
  horizontalPodAutoscaler({ metrics }),
  nodeLifecycleController({ heartbeats: leases }),
  taintEvictionController(),
  cloudNodeLifecycleController({ instances: instancesOf(nodes) }),
  persistentVolumeController,
  ephemeralVolumeController,
  attachDetachController(),
  garbageCollector({ custom: [HorizontalPodAutoscaler, ScaledObject] }),
  podGarbageCollector(),
]
