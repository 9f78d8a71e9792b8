import { Deployment, Pod, ReplicaSet } from '../../kube/kinds.ts'
import type { KubeObject } from '../../kube/objects.ts'
import type { Strategy } from '../strategy.ts'

const workload: Strategy = {
  default: (object) => object,
  prepareForCreate: (object) => ({ ...object, status: { replicas: 0 } }) as KubeObject,
  hasStatus: true,
  hasGeneration: true,
}

const pod: Strategy = {
  default: (object) => object,
  prepareForCreate: (object) => ({ ...object, status: { phase: 'Pending' } }) as KubeObject,
  hasStatus: true,
  hasGeneration: true,
}

/** What the API server does for each kind it knows, by kind id. */
export const strategies: ReadonlyMap<string, Strategy> = new Map([
  [Pod.id, pod],
  [ReplicaSet.id, workload],
  [Deployment.id, workload],
])
