import type * as o from '../../kube/objects.ts'
import { controllerRef } from '../claim.ts'

// follows pkg/controller/statefulset/stateful_set_utils.go

const POD_NAME = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX = 'apps.kubernetes.io/pod-index'
const REVISION = 'controller-revision-hash'

/** `web-3` is the pod of ordinal 3 of the set web; -1 where the name says none. */
export function parentAndOrdinal(podName: string): { parent: string; ordinal: number } {
  const match = /^(.*)-(\d+)$/s.exec(podName)
  if (!match) return { parent: '', ordinal: -1 }
  const ordinal = Number(match[2])
  return { parent: match[1]!, ordinal: ordinal < 2 ** 31 ? ordinal : -1 }
}

export const ordinalOf = (pod: o.Pod): number => parentAndOrdinal(pod.metadata.name).ordinal
export const isMemberOf = (set: o.StatefulSet, pod: o.Pod): boolean =>
  parentAndOrdinal(pod.metadata.name).parent === set.metadata.name

export const startOrdinal = (set: o.StatefulSet): number => set.spec.ordinals?.start ?? 0
export const inOrdinalRange = (set: o.StatefulSet, pod: o.Pod): boolean => {
  const place = ordinalOf(pod) - startOrdinal(set)
  return place >= 0 && place < set.spec.replicas
}

const podName = (set: o.StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`

/** The name of the claim that a template makes for one ordinal. */
export const claimName = (set: o.StatefulSet, template: string, ordinal: number): string =>
  `${template}-${set.metadata.name}-${ordinal}`

export const revisionOfPod = (pod: o.Pod): string => pod.metadata.labels?.[REVISION] ?? ''

export const identityMatches = (set: o.StatefulSet, pod: o.Pod): boolean =>
  isMemberOf(set, pod) &&
  pod.metadata.name === podName(set, ordinalOf(pod)) &&
  pod.metadata.labels?.[POD_NAME] === pod.metadata.name

export const storageMatches = (set: o.StatefulSet, pod: o.Pod): boolean =>
  (set.spec.volumeClaimTemplates ?? []).every(({ metadata: { name } }) => {
    const claim = pod.spec.volumes?.find((volume) => volume.name === name)?.persistentVolumeClaim
    return (claim as { claimName?: string } | undefined)?.claimName === claimName(set, name, ordinalOf(pod))
  })

/** The pod with the name of its ordinal and the labels that say who it is. */
export function withIdentity(set: o.StatefulSet, pod: o.Pod): o.Pod {
  const ordinal = ordinalOf(pod)
  const name = podName(set, ordinal)
  const identity = { [POD_NAME]: name, [POD_INDEX]: String(ordinal) }
  return { ...pod, metadata: { ...pod.metadata, name, labels: { ...pod.metadata.labels, ...identity } } }
}

/** The pod with the volumes of its claims. */
export const withStorage = (set: o.StatefulSet, pod: o.Pod): o.Pod => ({
  ...pod,
  spec: { ...pod.spec, volumes: volumesOf(set, ordinalOf(pod), pod.spec.volumes) },
})

/** The pod's volumes: one for each claim template, which replaces one of that name, then its own. */
function volumesOf(set: o.StatefulSet, ordinal: number, own: o.PodSpec['volumes']): o.PodSpec['volumes'] {
  const templates = set.spec.volumeClaimTemplates ?? []
  if (templates.length === 0) return own
  const names = new Set(templates.map(({ metadata }) => metadata.name))
  const made = templates.map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: claimName(set, name, ordinal) },
  }))
  return [...made, ...(own ?? []).filter(({ name }) => !names.has(name))]
}

/** A pod that is not made yet: one without a phase. */
function newPod(set: o.StatefulSet, revision: string, ordinal: number): o.Pod {
  const { template, serviceName } = set.spec
  const name = podName(set, ordinal)
  const volumes = volumesOf(set, ordinal, template.spec.volumes)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, [POD_NAME]: name, [POD_INDEX]: String(ordinal), [REVISION]: revision },
      annotations: template.metadata.annotations,
      ownerReferences: [controllerRef(set)],
    } as unknown as o.ObjectMeta,
    spec: {
      ...template.spec,
      hostname: name,
      ...(serviceName ? { subdomain: serviceName } : {}),
      ...(volumes ? { volumes } : {}),
    },
    status: {} as o.PodStatus,
  }
}

export interface Revisions {
  readonly currentSet: o.StatefulSet
  readonly updateSet: o.StatefulSet
  readonly current: o.ControllerRevision
  readonly update: o.ControllerRevision
}

/** The pod to make for an ordinal: below the partition it is of the current revision. Follows newVersionedStatefulSetPod. */
export function newVersionedPod({ currentSet, updateSet, current, update }: Revisions, ordinal: number): o.Pod {
  const { type, rollingUpdate } = currentSet.spec.updateStrategy
  const start = startOrdinal(currentSet)
  const old = rollingUpdate
    ? ordinal < start + rollingUpdate.partition
    : type === 'RollingUpdate' && ordinal < start + (currentSet.status.currentReplicas ?? 0)
  return old ? newPod(currentSet, current.metadata.name, ordinal) : newPod(updateSet, update.metadata.name, ordinal)
}

export const isCreated = (pod: o.Pod): boolean => Boolean(pod.status.phase)
