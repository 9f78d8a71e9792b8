import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import type { Strategy } from '../strategy.ts'
import { type Causes, forbidden, immutable, invalidValue, nonnegative, required } from '../validation/field.ts'
import { objectMeta, objectMetaUpdate } from '../validation/meta.ts'
import { dns1123Subdomain } from '../validation/names.ts'
import { anyTemplate } from '../validation/workloads.ts'
import { each, fill, within } from './fill.ts'
import { defaultTemplate } from './workloads.ts'

const INT32_MAX = 2 ** 31 - 1

/** Follows pkg/apis/batch/v1/defaults.go SetDefaults_Job. */
const defaultJob = (job: o.Job): o.Job =>
  within(job, 'spec', (spec) => {
    const { completions, parallelism, backoffLimitPerIndex, podFailurePolicy } = spec
    let out = completions === undefined && parallelism === undefined ? { ...spec, completions: 1 } : spec
    out = fill(out, {
      parallelism: 1,
      backoffLimit: backoffLimitPerIndex === undefined ? 6 : INT32_MAX,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    })
    out = within(out, 'podFailurePolicy', (policy) =>
      within(policy, 'rules', (rules) =>
        each(rules, (rule) =>
          within(rule, 'onPodConditions', (list) => each(list, (one) => fill(one, { status: 'True' }))),
        ),
      ),
    )
    return within(out, 'template', defaultTemplate)
  })

const UID = 'batch.kubernetes.io/controller-uid'

/** The labels by which a Job tells its pods from all others. Follows pkg/registry/batch/job/strategy.go generateSelector. */
function withSelector(job: o.Job): o.Job {
  const { spec, metadata } = job
  if (spec.manualSelector) return job
  const { uid, name } = metadata
  const own = { 'controller-uid': uid, [UID]: uid, 'job-name': name, 'batch.kubernetes.io/job-name': name }
  const { template } = spec
  const labels = { ...template.metadata?.labels, ...own }
  return {
    ...job,
    spec: {
      ...spec,
      selector: { matchLabels: { ...spec.selector?.matchLabels, [UID]: uid } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

/** Follows pkg/registry/batch/job/strategy.go and pkg/apis/batch/validation/validation.go, the rules that change what a Job does. */
export const jobStrategy: Strategy<o.Job> = {
  hasStatus: true,
  hasGeneration: true,
  default: defaultJob,
  prepareForCreate: (job) => ({ ...withSelector(job), status: {} }),
  validate: (job) => [...objectMeta(job.metadata, dns1123Subdomain), ...jobSpec(job.spec)],
  validateUpdate: (job, before) => [
    ...objectMetaUpdate(job.metadata, before.metadata),
    ...(job.spec === before.spec ? [] : jobSpec(job.spec)),
    ...fixed(job, before),
  ],
  validateStatusUpdate: (job, before) => objectMetaUpdate(job.metadata, before.metadata),
  raisesGeneration: (job, before) => !equal(job.spec, before.spec),
}

function jobSpec(spec: o.Job['spec']): Causes {
  const { restartPolicy } = spec.template.spec
  const counts = [
    'parallelism',
    'completions',
    'backoffLimit',
    'backoffLimitPerIndex',
    'activeDeadlineSeconds',
  ] as const
  const indexed = spec.completionMode === 'Indexed'
  const causes = [
    ...counts.flatMap((field) => nonnegative(spec[field], `spec.${field}`)),
    ...nonnegative(spec.ttlSecondsAfterFinished, 'spec.ttlSecondsAfterFinished'),
    ...(indexed && spec.completions === undefined
      ? [required('spec.completions', 'when completion mode is Indexed')]
      : []),
    ...(spec.backoffLimitPerIndex !== undefined && !indexed
      ? [invalidValue('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, 'requires indexed completion mode')]
      : []),
    ...anyTemplate(spec.template, 'spec.template'),
  ]
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    causes.push(required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"'))
  else if (spec.podFailurePolicy && restartPolicy !== 'Never')
    causes.push(
      invalidValue(
        'spec.template.spec.restartPolicy',
        restartPolicy,
        'only "Never" is supported when podFailurePolicy is specified',
      ),
    )
  return causes
}

/** What of a Job never changes; a suspended one that never ran may be given other resources and places, which is not told apart. */
function fixed({ spec }: o.Job, { spec: before, status }: o.Job): Causes {
  const same = (field: keyof o.Job['spec']) =>
    immutable(equal(spec[field], before[field]), spec[field], `spec.${field}`)
  const template = before.suspend && !status.startTime ? [] : same('template')
  const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism
  return [
    ...(elastic ? [] : same('completions')),
    ...same('selector'),
    ...template,
    ...same('completionMode'),
    ...same('podFailurePolicy'),
    ...same('backoffLimitPerIndex'),
    ...(spec.managedBy === before.managedBy ? [] : [forbidden('spec.managedBy', 'field is immutable')]),
  ]
}
