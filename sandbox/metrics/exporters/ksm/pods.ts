import { controllerOf } from '../../../kube/indexes.ts'
import { Pod } from '../../../kube/kinds.ts'
import type * as o from '../../../kube/objects.ts'
import {
  conditionValues,
  created,
  flag,
  type Generator,
  type KindFamilies,
  labelsFamily,
  many,
  one,
  owners,
  unixSeconds,
  type Value,
} from './generator.ts'
import { resourceValues } from './resources.ts'

const PHASES = ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running'] as const
const REASONS = ['NodeLost', 'Evicted', 'UnexpectedAdmissionError'] as const

/** For each container's status one value. */
const statuses = (
  name: string,
  help: string,
  of: (status: o.ContainerStatus) => Value[] | number | undefined,
  init = false,
): Generator<o.Pod> =>
  many(
    `kube_pod_${init ? 'init_' : ''}container_${name}`,
    help,
    (pod) => {
      const list = (init ? pod.status.initContainerStatuses : pod.status.containerStatuses) ?? []
      return list.flatMap((status): Value[] => {
        const value = of(status)
        if (Array.isArray(value)) return value.map(([labels, v]) => [{ container: status.name, ...labels }, v])
        return [[{ container: status.name }, value as number | undefined]]
      })
    },
    name.endsWith('_total') ? 'counter' : 'gauge',
  )

const reason = (text: string | undefined): Value[] => (text === undefined ? [] : [[{ reason: text }, 1]])

const containerStates = (init: boolean): Generator<o.Pod>[] => {
  const the = init ? 'the init container' : 'the container'
  return [
    statuses(
      'status_waiting',
      `Describes whether ${the} is currently in waiting state.`,
      (s) => flag(!!s.state.waiting),
      init,
    ),
    statuses(
      'status_waiting_reason',
      `Describes the reason ${the} is currently in waiting state.`,
      (s) => reason(s.state.waiting?.reason),
      init,
    ),
    statuses(
      'status_running',
      `Describes whether ${the} is currently in running state.`,
      (s) => flag(!!s.state.running),
      init,
    ),
    statuses(
      'status_terminated',
      `Describes whether ${the} is currently in terminated state.`,
      (s) => flag(!!s.state.terminated),
      init,
    ),
    statuses(
      'status_terminated_reason',
      `Describes the reason ${the} is currently in terminated state.`,
      (s) => reason(s.state.terminated?.reason),
      init,
    ),
    statuses(
      'status_last_terminated_reason',
      `Describes the last reason ${the} was in terminated state.`,
      (s) => reason(s.lastState.terminated?.reason),
      init,
    ),
    statuses('status_ready', 'Describes whether the containers readiness check succeeded.', (s) => flag(s.ready), init),
    statuses('status_restarts_total', 'The number of container restarts per container.', (s) => s.restartCount, init),
  ]
}

const resources = (what: 'limits' | 'requests', init: boolean): Generator<o.Pod> =>
  many(
    `kube_pod_${init ? 'init_' : ''}container_resource_${what}`,
    what === 'limits'
      ? 'The number of requested limit resource by a container.'
      : 'The number of requested request resource by a container.',
    (pod) =>
      ((init ? pod.spec.initContainers : pod.spec.containers) ?? []).flatMap((c) =>
        resourceValues(c.resources?.[what], { container: c.name, node: pod.spec.nodeName ?? '' }),
      ),
  )

const conditionOf = (pod: o.Pod, type: string) => pod.status.conditions?.find((c) => c.type === type)

/** kube-state-metrics' families of pods. */
// follows internal/store/pod.go of kubernetes/kube-state-metrics; texts are its own
export const podFamilies: KindFamilies<o.Pod> = {
  kind: Pod,
  resource: 'pods',
  base: ({ metadata }) => ({ namespace: metadata.namespace ?? '', pod: metadata.name, uid: metadata.uid }),
  families: [
    many('kube_pod_info', 'Information about pod.', (pod) => [[infoOf(pod), 1]]),
    many('kube_pod_owner', "Information about the Pod's owner.", owners),
    labelsFamily('pod', 'pods'),
    created('pod'),
    one('kube_pod_start_time', 'Start time in unix timestamp for a pod.', (pod) => unixSeconds(pod.status.startTime)),
    one('kube_pod_deletion_timestamp', 'Unix deletion timestamp', (pod) => unixSeconds(pod.metadata.deletionTimestamp)),
    one('kube_pod_completion_time', 'Completion time in unix timestamp for a pod.', completedAt),
    many('kube_pod_restart_policy', 'Describes the restart policy in use by this pod.', (pod) => [
      [{ type: pod.spec.restartPolicy }, 1],
    ]),
    many('kube_pod_status_phase', 'The pods current phase.', ({ status }) =>
      PHASES.map((phase) => [{ phase }, flag(status.phase === phase)]),
    ),
    many('kube_pod_status_ready', 'Describes whether the pod is ready to serve requests.', (pod) => {
      const ready = conditionOf(pod, 'Ready')
      return ready ? conditionValues(ready.status, {}, 'condition') : []
    }),
    many('kube_pod_status_scheduled', 'Describes the status of the scheduling process for the pod.', (pod) => {
      const scheduled = conditionOf(pod, 'PodScheduled')
      return scheduled ? conditionValues(scheduled.status, {}, 'condition') : []
    }),
    one('kube_pod_status_scheduled_time', 'Unix timestamp when pod moved into scheduled status', (pod) => {
      const scheduled = conditionOf(pod, 'PodScheduled')
      return scheduled?.status === 'True' ? unixSeconds(scheduled.lastTransitionTime) : undefined
    }),
    one('kube_pod_status_ready_time', 'Readiness achieved time in unix timestamp for a pod.', (pod) => {
      const ready = conditionOf(pod, 'Ready')
      return ready?.status === 'True' ? unixSeconds(ready.lastTransitionTime) : undefined
    }),
    one('kube_pod_status_unschedulable', 'Describes the unschedulable status for the pod.', (pod) =>
      conditionOf(pod, 'PodScheduled')?.status === 'False' ? 1 : undefined,
    ),
    many('kube_pod_status_reason', 'The pod status reasons', ({ status }) =>
      REASONS.map((r) => [{ reason: r }, flag(status.reason === r)]),
    ),
    many('kube_pod_container_info', 'Information about a container in a pod.', (pod) =>
      (pod.status.containerStatuses ?? []).map((s) => [
        {
          container: s.name,
          image: s.image,
          image_id: s.imageID,
          container_id: s.containerID ?? '',
          image_spec: pod.spec.containers.find((c) => c.name === s.name)?.image ?? '',
        },
        1,
      ]),
    ),
    statuses('state_started', 'Start time in unix timestamp for a pod container.', ({ state }) =>
      unixSeconds(state.running?.startedAt ?? state.terminated?.startedAt),
    ),
    statuses(
      'status_last_terminated_exitcode',
      'Describes the exit code for the last container in terminated state.',
      (s) => s.lastState.terminated?.exitCode,
    ),
    ...containerStates(false),
    ...containerStates(true),
    resources('requests', false),
    resources('limits', false),
    resources('requests', true),
    resources('limits', true),
  ],
}

function infoOf(pod: o.Pod): Record<string, string> {
  const owner = controllerOf(pod)
  const { spec, status } = pod
  return {
    host_ip: status.hostIP ?? '',
    pod_ip: status.podIP ?? '',
    node: spec.nodeName ?? '',
    created_by_kind: owner?.kind ?? '<none>',
    created_by_name: owner?.name ?? '<none>',
    priority_class: spec.priorityClassName ?? '',
    host_network: String(spec.hostNetwork === true),
  }
}

function completedAt({ status }: o.Pod): number | undefined {
  const times = (status.containerStatuses ?? []).flatMap((s) => unixSeconds(s.state.terminated?.finishedAt) ?? [])
  return times.length > 0 ? Math.max(...times) : undefined
}
