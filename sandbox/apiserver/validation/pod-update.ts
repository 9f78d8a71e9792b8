import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import { type Causes, forbidden, immutable, invalids, invalidValue, required } from './field.ts'
import { dns1123Subdomain } from './names.ts'
import { tolerations } from './pod-spec.ts'

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

/** What of a pod's spec may change. Follows pkg/apis/core/validation/validation.go ValidatePodUpdate. */
export function podUpdate(pod: o.Pod, before: o.Pod): Causes {
  if (pod.spec === before.spec) return []
  const lists = ['containers', 'initContainers'] as const
  const causes: Causes = []
  for (const field of lists) {
    const { found, stop } = containerUpdates(pod.spec[field] ?? [], before.spec[field] ?? [], `spec.${field}`)
    causes.push(...found)
    if (stop) return causes
  }
  causes.push(...deadline(pod.spec, before.spec))
  causes.push(...onlyAdded(pod.spec.tolerations ?? [], before.spec.tolerations ?? []))
  const gates = new Set((before.spec.schedulingGates ?? []).map((gate) => gate.name))
  const newGates = (pod.spec.schedulingGates ?? []).filter((gate) => !gates.has(gate.name))
  if (newGates.length > 0)
    causes.push(
      forbidden(
        'spec.schedulingGates',
        `only deletion is allowed, but found new scheduling gates '${newGates.map((gate) => gate.name).join(',')}'`,
      ),
    )
  const rest = munged(pod.spec, before.spec, gates.size > 0)
  if (!equal(rest, before.spec))
    causes.push(forbidden('spec', `pod updates may not change fields other than ${UPDATABLE}`))
  return causes
}

function containerUpdates(list: readonly o.Container[], before: readonly o.Container[], path: string) {
  if (list.length !== before.length)
    return { found: [forbidden(path, 'pod updates may not add or remove containers')], stop: true }
  const found = list.flatMap(({ image }, i) =>
    !image
      ? [required(`${path}[${i}].image`)]
      : image.trim() === image
        ? []
        : [invalidValue(`${path}[${i}].image`, image, 'must not have leading or trailing whitespace')],
  )
  return { found, stop: false }
}

function deadline(spec: o.PodSpec, before: o.PodSpec): Causes {
  const path = 'spec.activeDeadlineSeconds'
  const [now, was] = [spec.activeDeadlineSeconds, before.activeDeadlineSeconds]
  if (now === undefined)
    return was === undefined ? [] : [invalidValue(path, null, 'must not update from a positive integer to nil value')]
  return was !== undefined && was < now ? [invalidValue(path, now, 'must be less than or equal to previous value')] : []
}

function onlyAdded(list: readonly o.Toleration[], before: readonly o.Toleration[]): Causes {
  const path = 'spec.tolerations'
  for (const old of before)
    if (!list.some((toleration) => equal({ ...old, tolerationSeconds: toleration.tolerationSeconds }, toleration)))
      return [forbidden(path, 'existing toleration can not be modified except its tolerationSeconds')]
  return tolerations(list, path)
}

/** The new spec with all that may change put back. */
function munged(spec: o.PodSpec, before: o.PodSpec, gated: boolean): o.PodSpec {
  const withImages = (field: 'containers' | 'initContainers') =>
    spec[field]?.map((container, i) => ({ ...container, image: before[field]![i]!.image }))
  const affinity = { ...spec.affinity, nodeAffinity: before.affinity?.nodeAffinity }
  const empty = Object.values(affinity).every((value) => value === undefined)
  return {
    ...spec,
    containers: withImages('containers')!,
    initContainers: withImages('initContainers'),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    tolerations: before.tolerations,
    schedulingGates: before.schedulingGates,
    ...(before.terminationGracePeriodSeconds < 0 && spec.terminationGracePeriodSeconds === 1
      ? { terminationGracePeriodSeconds: before.terminationGracePeriodSeconds }
      : {}),
    ...(gated ? { nodeSelector: before.nodeSelector, affinity: empty ? before.affinity : affinity } : {}),
  }
}

/** Follows ValidatePodStatusUpdate. */
export function podStatusUpdate(pod: o.Pod, before: o.Pod): Causes {
  const { nominatedNodeName: nominated, qosClass } = pod.status
  const renamed = nominated && nominated !== before.status.nominatedNodeName
  return [
    ...(renamed ? invalids('status.nominatedNodeName', nominated, dns1123Subdomain(nominated)) : []),
    ...(renamed && before.spec.nodeName
      ? [forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node')]
      : []),
    ...immutable(qosClass === before.status.qosClass, qosClass, 'status.qosClass'),
    ...restarts(pod, before),
  ]
}

/** A container that ended for good does not run again. Follows ValidateContainerStateTransition. */
function restarts({ status, spec }: o.Pod, before: o.Pod): Causes {
  return (before.status.containerStatuses ?? []).flatMap((old, i) => {
    const ended = old.state.terminated
    const now = status.containerStatuses?.find((item) => item.name === old.name)
    if (!ended || !now || now.state.terminated) return []
    const own = spec.containers.find((item) => item.name === old.name)?.restartPolicy
    const policy = own ?? spec.restartPolicy
    const may = policy === 'Always' || (policy === 'OnFailure' && ended.exitCode !== 0)
    return may
      ? []
      : [forbidden(`status.containerStatuses[${i}].state`, 'may not be transitioned to non-terminated state')]
  })
}
