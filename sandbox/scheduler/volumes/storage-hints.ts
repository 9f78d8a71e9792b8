import type * as o from '../../kube/objects.ts'
import { claimNames } from '../../kube/volumes.ts'
import { Action, type EventHint } from '../framework/events.ts'

/** A claim came. */
export const CLAIM_ADDED = { resource: 'PersistentVolumeClaim', actions: Action.Add } as const
/** A claim came or changed. */
export const CLAIM_CHANGED = { resource: 'PersistentVolumeClaim', actions: Action.Add | Action.Update } as const

/** A node came, whatever it is like. */
export const NODE_ADDED: EventHint = { resource: 'Node', actions: Action.Add }
/** A node came, or its labels changed. */
export const NODE_LABELLED: EventHint = { resource: 'Node', actions: Action.Add | Action.UpdateNodeLabel }

/** The names of the claims that a pod mounts by name: some plugins overlook those of ephemeral volumes. */
export const namedClaims = (pod: o.Pod): string[] =>
  pod.spec.volumes ? claimNames(pod).flatMap(({ claim, ephemeral }) => (ephemeral ? [] : [claim])) : []

/** Whether the pod mounts the claim by name. */
export const namesClaim = (pod: o.Pod, claim: o.KubeObject | undefined): boolean =>
  claim?.metadata.namespace === pod.metadata.namespace && namedClaims(pod).includes(claim!.metadata.name)

/** Whether the pod mounts the claim, by name or as that of an ephemeral volume. */
export const mountsClaim = (pod: o.Pod, claim: o.KubeObject | undefined): boolean =>
  claim?.metadata.namespace === pod.metadata.namespace &&
  claimNames(pod).some(({ claim: name }) => name === claim!.metadata.name)
