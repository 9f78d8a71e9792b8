import * as kinds from '../../kube/kinds.ts'
import { type Strategy, strategyFor } from '../strategy.ts'
import { horizontalPodAutoscalerStrategy } from './autoscaling.ts'
import { jobStrategy } from './job.ts'
import { scaledObjectStrategy } from './keda.ts'
import { nodeStrategy } from './node.ts'
import {
  customResource,
  endpointSliceStrategy,
  namespaceStrategy,
  pathSegment,
  plainKind,
  priorityClassStrategy,
} from './others.ts'
import { podStrategy } from './pod.ts'
import { disruptionBudgetStrategy, limitRangeStrategy, resourceQuotaStrategy } from './policy.ts'
import { serviceStrategy } from './service.ts'
import { controllerRevisionStrategy, daemonSetStrategy, statefulSetStrategy } from './stateful.ts'
import { attachmentStrategy, claimStrategy, storageClassStrategy, volumeStrategy } from './storage.ts'
import { deploymentStrategy, replicaSetStrategy } from './workloads.ts'

/** What the API server does for the kinds that have rules of their own, by kind id. */
export const strategies: ReadonlyMap<string, Strategy> = new Map<string, Strategy>([
  strategyFor(kinds.Pod, podStrategy),
  strategyFor(kinds.ReplicaSet, replicaSetStrategy),
  strategyFor(kinds.Deployment, deploymentStrategy),
  strategyFor(kinds.StatefulSet, statefulSetStrategy),
  strategyFor(kinds.DaemonSet, daemonSetStrategy),
  strategyFor(kinds.Job, jobStrategy),
  strategyFor(kinds.ControllerRevision, controllerRevisionStrategy),
  strategyFor(kinds.HorizontalPodAutoscaler, horizontalPodAutoscalerStrategy),
  strategyFor(kinds.Service, serviceStrategy),
  strategyFor(kinds.Node, nodeStrategy),
  strategyFor(kinds.Namespace, namespaceStrategy),
  strategyFor(kinds.PriorityClass, priorityClassStrategy),
  strategyFor(kinds.EndpointSlice, endpointSliceStrategy),
  strategyFor(kinds.PersistentVolumeClaim, claimStrategy),
  strategyFor(kinds.PersistentVolume, volumeStrategy),
  strategyFor(kinds.StorageClass, storageClassStrategy),
  strategyFor(kinds.VolumeAttachment, attachmentStrategy),
  strategyFor(kinds.PodDisruptionBudget, disruptionBudgetStrategy),
  strategyFor(kinds.ResourceQuota, resourceQuotaStrategy),
  strategyFor(kinds.LimitRange, limitRangeStrategy),
  strategyFor(kinds.ScaledObject, scaledObjectStrategy),
])

const plain = plainKind()
const rbac = plainKind(pathSegment)

/** The strategy of any kind: its own, one for custom resources, or one that stores what it gets. */
export function strategyOf(kind: { apiVersion: string; id: string }): Strategy {
  const own = strategies.get(kind.id)
  if (own) return own
  const slash = kind.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : kind.apiVersion.slice(0, slash)
  if (group === 'rbac.authorization.k8s.io') return rbac
  return group.includes('.') && !group.endsWith('.k8s.io') ? customResource : plain
}
