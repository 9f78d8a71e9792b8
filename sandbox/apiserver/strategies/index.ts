import { Deployment, Pod, ReplicaSet, Service } from '../../kube/kinds.ts'
import type { Strategy } from '../strategy.ts'
import { podStrategy } from './pod.ts'
import { serviceStrategy } from './service.ts'
import { deploymentStrategy, replicaSetStrategy } from './workloads.ts'

/** What the API server does for each kind it knows, by kind id. */
export const strategies: ReadonlyMap<string, Strategy> = new Map<string, Strategy>([
  [Pod.id, podStrategy as unknown as Strategy],
  [ReplicaSet.id, replicaSetStrategy as unknown as Strategy],
  [Deployment.id, deploymentStrategy as unknown as Strategy],
  [Service.id, serviceStrategy as unknown as Strategy],
])
