import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import type { Strategy } from '../strategy.ts'
import { objectMetaUpdate } from '../validation/meta.ts'
import * as validation from '../validation/workloads.ts'
import { fill, fillZero, within } from './fill.ts'
import { defaultTemplateSpec } from './pod-spec.ts'

export const defaultTemplate = (template: o.PodTemplateSpec): o.PodTemplateSpec =>
  within(fill(template, { metadata: {}, spec: {} as o.PodSpec }), 'spec', defaultTemplateSpec)

/** Follows pkg/apis/apps/v1/defaults.go SetDefaults_Deployment. */
function defaultDeployment(deployment: o.Deployment): o.Deployment {
  return within(deployment, 'spec', (spec) => {
    let out = fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
    out = fill(out, { strategy: {} as o.Deployment['spec']['strategy'], template: {} as o.PodTemplateSpec })
    out = within(out, 'strategy', (strategy) => fillZero(strategy, { type: 'RollingUpdate' }))
    if (out.strategy.type === 'RollingUpdate')
      out = within(out, 'strategy', (strategy) =>
        within(fill(strategy, { rollingUpdate: {} as never }), 'rollingUpdate', (update) =>
          fill(update, { maxUnavailable: '25%', maxSurge: '25%' }),
        ),
      )
    return within(out, 'template', defaultTemplate)
  })
}

/** Follows pkg/apis/apps/v1/defaults.go and zz_generated.defaults.go. */
const defaultReplicaSet = (rs: o.ReplicaSet): o.ReplicaSet =>
  within(rs, 'spec', (spec) =>
    within(fill(spec, { replicas: 1, template: {} as o.PodTemplateSpec }), 'template', defaultTemplate),
  )

/** Annotations count too: they are copied to the ReplicaSets. Follows pkg/registry/apps/deployment/strategy.go. */
export const deploymentStrategy: Strategy<o.Deployment> = {
  hasStatus: true,
  hasGeneration: true,
  default: defaultDeployment,
  prepareForCreate: (deployment) => ({ ...deployment, status: {} }),
  prepareForStatusUpdate: (deployment, before) => ({
    ...deployment,
    metadata: { ...deployment.metadata, labels: before.metadata.labels },
  }),
  validate: validation.deployment,
  validateUpdate: validation.deploymentUpdate,
  validateStatusUpdate: validateStatus,
  raisesGeneration: (deployment, before) =>
    !equal(deployment.spec, before.spec) || !equal(deployment.metadata.annotations, before.metadata.annotations),
}

/** Follows pkg/registry/apps/replicaset/strategy.go. */
export const replicaSetStrategy: Strategy<o.ReplicaSet> = {
  hasStatus: true,
  hasGeneration: true,
  default: defaultReplicaSet,
  prepareForCreate: (rs) => ({ ...rs, status: { replicas: 0 } }),
  validate: validation.replicaSet,
  validateUpdate: validation.replicaSetUpdate,
  validateStatusUpdate: validateStatus,
  raisesGeneration: (rs, before) => !equal(rs.spec, before.spec),
}

function validateStatus(object: o.Deployment | o.ReplicaSet, before: o.Deployment | o.ReplicaSet): string[] {
  return [
    ...objectMetaUpdate(object.metadata, before.metadata),
    ...validation.replicaCounts((object.status ?? {}) as Record<string, unknown>),
  ]
}
