import type * as o from '../../kube/objects.ts'
import type { Strategy } from '../strategy.ts'
import { each, fill, memoised, within } from './fill.ts'
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
  prepareForCreate: (pod) => ({ ...pod, status: { phase: 'Pending', qosClass: qosClass(pod.spec) } }),
}
