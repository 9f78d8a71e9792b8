/**
 * The Kubernetes objects the sandbox acts on, typed as they are *after* the API server has defaulted them: a field the
 * server always fills is not optional here. Fields nobody in the sandbox reads are left to `Extra`.
 */

export type * from './objects/autoscaling.ts'
export type * from './objects/batch.ts'
export type * from './objects/cluster.ts'
export type * from './objects/gateway.ts'
export type * from './objects/karpenter.ts'
export type * from './objects/keda.ts'
export type * from './objects/meta.ts'
export type * from './objects/pod.ts'
export type * from './objects/pod-spec.ts'
export type * from './objects/policy.ts'
export type * from './objects/volumes.ts'
export type * from './objects/workloads.ts'
