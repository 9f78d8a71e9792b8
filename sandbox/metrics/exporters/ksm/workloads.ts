import { DaemonSet, Deployment, Job, ReplicaSet, StatefulSet } from '../../../kube/kinds.ts'
import type * as o from '../../../kube/objects.ts'
import {
  allConditions,
  conditionValues,
  created,
  flag,
  type Generator,
  generation,
  type KindFamilies,
  labelsFamily,
  many,
  one,
  owners,
  unixSeconds,
} from './generator.ts'

const GENERATION = 'Sequence number representing a specific generation of the desired state.'

const named =
  (label: string) =>
  ({ metadata }: o.KubeObject) => ({ namespace: metadata.namespace ?? '', [label]: metadata.name })

/** An `IntOrString` of a rolling update, as a number of replicas. */
function scaled(value: o.IntOrString | undefined, replicas: number, roundUp: boolean): number | undefined {
  if (value === undefined || typeof value === 'number') return value
  const share = (Number(value.replace('%', '')) / 100) * replicas
  return roundUp ? Math.ceil(share) : Math.floor(share)
}

/** Counters of a status that are 0 when the object does not have them. */
const counts = <T extends o.KubeObject>(
  prefix: string,
  fields: Readonly<Record<string, readonly [help: string, of: (object: T) => number | undefined]>>,
): Generator<T>[] =>
  Object.entries(fields).map(([name, [help, of]]) => one(`${prefix}_${name}`, help, (x: T) => of(x) ?? 0))

// follows internal/store/deployment.go of kubernetes/kube-state-metrics
export const deploymentFamilies: KindFamilies<o.Deployment> = {
  kind: Deployment,
  resource: 'deployments',
  base: named('deployment'),
  families: [
    created('deployment'),
    generation('deployment', GENERATION),
    labelsFamily('deployment', 'deployments'),
    many('kube_deployment_owner', "Information about the Deployment's owner.", owners),
    one('kube_deployment_spec_replicas', 'Number of desired pods for a deployment.', (d) => d.spec.replicas),
    one(
      'kube_deployment_spec_paused',
      'Whether the deployment is paused and will not be processed by the deployment controller.',
      (d) => flag(d.spec.paused === true),
    ),
    one(
      'kube_deployment_spec_strategy_rollingupdate_max_unavailable',
      'Maximum number of unavailable replicas during a rolling update of a deployment.',
      ({ spec }) => scaled(spec.strategy.rollingUpdate?.maxUnavailable, spec.replicas, false),
    ),
    one(
      'kube_deployment_spec_strategy_rollingupdate_max_surge',
      'Maximum number of replicas that can be scheduled above the desired number of replicas during a rolling update of a deployment.',
      ({ spec }) => scaled(spec.strategy.rollingUpdate?.maxSurge, spec.replicas, true),
    ),
    many('kube_deployment_status_condition', 'The current status conditions of a deployment.', ({ status }) =>
      allConditions(status.conditions),
    ),
    ...counts<o.Deployment>('kube_deployment_status', {
      replicas: ['The number of replicas per deployment.', (d) => d.status.replicas],
      replicas_ready: ['The number of ready replicas per deployment.', (d) => d.status.readyReplicas],
      replicas_available: ['The number of available replicas per deployment.', (d) => d.status.availableReplicas],
      replicas_unavailable: ['The number of unavailable replicas per deployment.', (d) => d.status.unavailableReplicas],
      replicas_updated: ['The number of updated replicas per deployment.', (d) => d.status.updatedReplicas],
      observed_generation: [
        'The generation observed by the deployment controller.',
        (d) => d.status.observedGeneration,
      ],
    }),
  ],
}

// follows internal/store/replicaset.go of kubernetes/kube-state-metrics
export const replicaSetFamilies: KindFamilies<o.ReplicaSet> = {
  kind: ReplicaSet,
  resource: 'replicasets',
  base: named('replicaset'),
  families: [
    created('replicaset'),
    generation('replicaset', GENERATION),
    labelsFamily('replicaset', 'replicasets'),
    many('kube_replicaset_owner', "Information about the ReplicaSet's owner.", owners),
    one('kube_replicaset_spec_replicas', 'Number of desired pods for a ReplicaSet.', (r) => r.spec.replicas),
    ...counts<o.ReplicaSet>('kube_replicaset_status', {
      replicas: ['The number of replicas per ReplicaSet.', (r) => r.status.replicas],
      fully_labeled_replicas: [
        'The number of fully labeled replicas per ReplicaSet.',
        (r) => r.status.fullyLabeledReplicas,
      ],
      ready_replicas: ['The number of ready replicas per ReplicaSet.', (r) => r.status.readyReplicas],
      observed_generation: [
        'The generation observed by the ReplicaSet controller.',
        (r) => r.status.observedGeneration,
      ],
    }),
  ],
}

// follows internal/store/statefulset.go of kubernetes/kube-state-metrics
export const statefulSetFamilies: KindFamilies<o.StatefulSet> = {
  kind: StatefulSet,
  resource: 'statefulsets',
  base: named('statefulset'),
  families: [
    created('statefulset'),
    generation('statefulset', GENERATION),
    labelsFamily('statefulset', 'statefulsets'),
    one('kube_statefulset_replicas', 'Number of desired pods for a StatefulSet.', (s) => s.spec.replicas),
    many(
      'kube_statefulset_status_current_revision',
      'Indicates the version of the StatefulSet used to generate Pods in the sequence [0,currentReplicas).',
      (s) => [[{ revision: s.status.currentRevision ?? '' }, 1]],
    ),
    many(
      'kube_statefulset_status_update_revision',
      'Indicates the version of the StatefulSet used to generate Pods in the sequence [replicas-updatedReplicas,replicas)',
      (s) => [[{ revision: s.status.updateRevision ?? '' }, 1]],
    ),
    ...counts<o.StatefulSet>('kube_statefulset_status', {
      replicas: ['The number of replicas per StatefulSet.', (s) => s.status.replicas],
      replicas_available: ['The number of available replicas per StatefulSet.', (s) => s.status.availableReplicas],
      replicas_current: ['The number of current replicas per StatefulSet.', (s) => s.status.currentReplicas],
      replicas_ready: ['The number of ready replicas per StatefulSet.', (s) => s.status.readyReplicas],
      replicas_updated: ['The number of updated replicas per StatefulSet.', (s) => s.status.updatedReplicas],
      observed_generation: [
        'The generation observed by the StatefulSet controller.',
        (s) => s.status.observedGeneration,
      ],
    }),
  ],
}

// follows internal/store/daemonset.go of kubernetes/kube-state-metrics
export const daemonSetFamilies: KindFamilies<o.DaemonSet> = {
  kind: DaemonSet,
  resource: 'daemonsets',
  base: named('daemonset'),
  families: [
    created('daemonset'),
    generation('daemonset', GENERATION),
    labelsFamily('daemonset', 'daemonsets'),
    ...counts<o.DaemonSet>('kube_daemonset_status', {
      current_number_scheduled: [
        'The number of nodes running at least one daemon pod and are supposed to.',
        (d) => d.status.currentNumberScheduled,
      ],
      desired_number_scheduled: [
        'The number of nodes that should be running the daemon pod.',
        (d) => d.status.desiredNumberScheduled,
      ],
      number_available: [
        'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available',
        (d) => d.status.numberAvailable,
      ],
      number_misscheduled: [
        'The number of nodes running a daemon pod but are not supposed to.',
        (d) => d.status.numberMisscheduled,
      ],
      number_ready: [
        'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and ready.',
        (d) => d.status.numberReady,
      ],
      number_unavailable: [
        'The number of nodes that should be running the daemon pod and have none of the daemon pod running and available',
        (d) => d.status.numberUnavailable,
      ],
      observed_generation: [
        'The most recent generation observed by the daemon set controller.',
        (d) => d.status.observedGeneration,
      ],
    }),
    one(
      'kube_daemonset_status_updated_number_scheduled',
      'The total number of nodes that are running updated daemon pod',
      (d) => d.status.updatedNumberScheduled ?? 0,
    ),
  ],
}

const jobCondition = (type: 'Complete' | 'Failed') => (job: o.Job) => {
  const found = job.status.conditions?.find((c) => c.type === type)
  return found ? conditionValues(found.status, {}, 'condition') : []
}

// follows internal/store/job.go of kubernetes/kube-state-metrics
export const jobFamilies: KindFamilies<o.Job> = {
  kind: Job,
  resource: 'jobs',
  base: named('job_name'),
  families: [
    one('kube_job_info', 'Information about job.', () => 1),
    created('job'),
    labelsFamily('job', 'jobs'),
    many('kube_job_owner', "Information about the Job's owner.", owners),
    one(
      'kube_job_spec_parallelism',
      'The maximum desired number of pods the job should run at any given time.',
      (j) => j.spec.parallelism,
    ),
    one(
      'kube_job_spec_completions',
      'The desired number of successfully finished pods the job should be run with.',
      (j) => j.spec.completions,
    ),
    one(
      'kube_job_spec_active_deadline_seconds',
      'The duration in seconds relative to the startTime that the job may be active before the system tries to terminate it.',
      (j) => j.spec.activeDeadlineSeconds,
    ),
    one(
      'kube_job_status_succeeded',
      'The number of pods which reached Phase Succeeded.',
      (j) => j.status.succeeded ?? 0,
    ),
    many(
      'kube_job_status_failed',
      'The number of pods which reached Phase Failed and the reason for failure.',
      ({ status }) => {
        const failed = status.conditions?.find((c) => c.type === 'Failed' && c.status === 'True')
        const labels: Record<string, string> = failed?.reason ? { reason: failed.reason } : {}
        return [[labels, status.failed ?? 0]]
      },
    ),
    one('kube_job_status_active', 'The number of actively running pods.', (j) => j.status.active ?? 0),
    one('kube_job_status_suspended', 'The number of suspended jobs.', (j) =>
      flag(j.status.conditions?.some((c) => c.type === 'Suspended' && c.status === 'True') === true),
    ),
    many('kube_job_complete', 'The job has completed its execution.', jobCondition('Complete')),
    many('kube_job_failed', 'The job has failed its execution.', jobCondition('Failed')),
    one(
      'kube_job_status_start_time',
      'StartTime represents time when the job was acknowledged by the Job Manager.',
      (j) => unixSeconds(j.status.startTime),
    ),
    one('kube_job_status_completion_time', 'CompletionTime represents time when the job was completed.', (j) =>
      unixSeconds(j.status.completionTime),
    ),
  ],
}
