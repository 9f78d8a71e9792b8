import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import { admitPod, withNodeTolerations } from '../admission/pod.ts'
import type { Strategy } from '../strategy.ts'
import { forbidden } from '../validation/field.ts'
import { objectMeta, objectMetaUpdate } from '../validation/meta.ts'
import { dns1123Subdomain } from '../validation/names.ts'
import { podSpec } from '../validation/pod-spec.ts'
import { podStatusUpdate, podUpdate } from '../validation/pod-update.ts'
import { each, fill, memoised, within } from './fill.ts'
import { withMatchedLabels } from './match-label-keys.ts'
import { defaultTemplateSpec } from './pod-spec.ts'
import { qosClass } from './qos.ts'

/**
 * The spec of a pod after defaulting: a template's defaults, and those that only pods get.
 * Follows pkg/apis/core/v1/defaults.go SetDefaults_Pod.
 */
export const defaultPodSpec = memoised((spec: o.PodSpec): o.PodSpec => {
  let out: o.PodSpec & { enableServiceLinks?: boolean } = defaultTemplateSpec(spec)
  out = within(out, 'containers', requestLimits)
  out = within(out, 'initContainers', requestLimits)
  out = fill(out, { enableServiceLinks: true })
  // of a pod, not of a template: follows Convert_v1_Pod_To_core_Pod of pkg/apis/core/v1/conversion.go
  if (out.terminationGracePeriodSeconds < 0) out = { ...out, terminationGracePeriodSeconds: 1 }
  if (!out.hostNetwork) return out
  return within(within(out, 'containers', hostPorts), 'initContainers', hostPorts)
})

/** What a container limits and does not request, it requests in full. */
const requestLimits = memoised((containers: o.Container[]) =>
  each(containers, (container) => {
    const { limits, requests } = container.resources
    if (!limits || Object.keys(limits).every((name) => requests?.[name] !== undefined)) return container
    return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } }
  }),
)

const hostPorts = (containers: o.Container[]): o.Container[] =>
  each(containers, (container) =>
    within(container, 'ports', (ports) =>
      each(ports, (port) => (port.hostPort ? port : { ...port, hostPort: port.containerPort })),
    ),
  )

/** Follows pkg/registry/core/pod/strategy.go. */
export const podStrategy: Strategy<o.Pod> = {
  hasStatus: true,
  hasGeneration: true,
  default: (pod) => within(pod, 'spec', defaultPodSpec),
  admit: admitPod,
  prepareForCreate: (pod) => ({ ...withMatchedLabels(pod), status: firstStatus(pod) }),
  prepareForUpdate: (pod, { spec: { priority, preemptionPolicy } }) =>
    within(pod, 'spec', (spec) => {
      const kept = fill(spec, { priority, preemptionPolicy })
      const { tolerations = [] } = kept
      const all = withNodeTolerations(tolerations)
      return all.length === tolerations.length ? kept : { ...kept, tolerations: all }
    }),
  prepareForStatusUpdate(pod, before) {
    const { ownerReferences } = before.metadata
    const metadata =
      pod.metadata.ownerReferences === ownerReferences ? pod.metadata : { ...pod.metadata, ownerReferences }
    const { qosClass } = before.status
    const status = pod.status.qosClass ? pod.status : { ...pod.status, qosClass }
    return metadata === pod.metadata && status === pod.status ? pod : { ...pod, metadata, status }
  },
  validate: (pod) => [...objectMeta(pod.metadata, dns1123Subdomain), ...podSpec(pod.spec, 'spec'), ...gatedNode(pod)],
  validateUpdate: (pod, before) => [
    ...objectMetaUpdate(pod.metadata, before.metadata),
    ...(pod.spec === before.spec ? [] : podSpec(pod.spec, 'spec')),
    ...podUpdate(pod, before),
  ],
  validateStatusUpdate: (pod, before) => [
    ...objectMetaUpdate(pod.metadata, before.metadata),
    ...podStatusUpdate(pod, before),
  ],
  raisesGeneration: (pod, before) => !equal(pod.spec, before.spec),
  graceSeconds: (pod, asked) => {
    if (!pod.spec.nodeName || pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') return 0
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds
    return seconds < 0 ? 1 : seconds
  },
}

function firstStatus(pod: o.Pod): o.PodStatus {
  const status: o.PodStatus = { phase: 'Pending', qosClass: qosClass(pod.spec) }
  if (!pod.spec.schedulingGates?.length) return status
  const lastTransitionTime = pod.metadata.creationTimestamp
  const message = 'Scheduling is blocked due to non-empty scheduling gates'
  return {
    ...status,
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message, lastTransitionTime }],
  }
}

const gatedNode = ({ spec }: o.Pod): string[] =>
  spec.nodeName && spec.schedulingGates?.length
    ? [forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared')]
    : []
