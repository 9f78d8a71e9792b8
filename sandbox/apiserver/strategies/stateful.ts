import { equal } from '../../journal/merge-patch.ts'
import type * as o from '../../kube/objects.ts'
import type { Strategy } from '../strategy.ts'
import { immutable } from '../validation/field.ts'
import { objectMeta, objectMetaUpdate } from '../validation/meta.ts'
import { dns1123Subdomain } from '../validation/names.ts'
import * as validation from '../validation/stateful.ts'
import { replicaCounts } from '../validation/workloads.ts'
import { each, fill, fillZero, within } from './fill.ts'
import { defaultTemplate } from './workloads.ts'

/** Follows pkg/apis/apps/v1/defaults.go SetDefaults_StatefulSet, with MaxUnavailableStatefulSet off as in 1.36. */
const defaultStatefulSet = (set: o.StatefulSet): o.StatefulSet =>
  within(set, 'spec', (spec) => {
    let out = fill(spec, {
      replicas: 1,
      revisionHistoryLimit: 10,
      template: {} as o.PodTemplateSpec,
      updateStrategy: {} as never,
      persistentVolumeClaimRetentionPolicy: {} as never,
    })
    out = fillZero(out, { podManagementPolicy: 'OrderedReady' })
    out = within(out, 'updateStrategy', (given) => {
      const strategy: typeof given = given.type
        ? given
        : fill({ ...given, type: 'RollingUpdate' as const }, { rollingUpdate: {} as never })
      if (strategy.type !== 'RollingUpdate') return strategy
      return within(strategy, 'rollingUpdate', (rolling) => fill(rolling, { partition: 0 }))
    })
    out = within(out, 'persistentVolumeClaimRetentionPolicy', (policy) =>
      fillZero(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' }),
    )
    out = within(out, 'volumeClaimTemplates', (claims) => each(claims, defaultClaimTemplate))
    return within(out, 'template', defaultTemplate)
  })

const defaultClaimTemplate = (claim: o.ClaimTemplate): o.ClaimTemplate =>
  within(
    fill(claim as o.ClaimTemplate & Record<string, unknown>, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      status: { phase: 'Pending' },
    }),
    'spec',
    (spec) => fill(spec, { volumeMode: 'Filesystem' }),
  )

/** A field behind a gate that is off is dropped unless it was there before. Follows dropStatefulSetDisabledFields. */
function withoutMaxUnavailable(set: o.StatefulSet, before?: o.StatefulSet): o.StatefulSet {
  const rolling = set.spec.updateStrategy.rollingUpdate
  if (rolling?.maxUnavailable === undefined) return set
  if (before?.spec.updateStrategy.rollingUpdate?.maxUnavailable !== undefined) return set
  const { maxUnavailable: _, ...rollingUpdate } = rolling
  return { ...set, spec: { ...set.spec, updateStrategy: { ...set.spec.updateStrategy, rollingUpdate } } }
}

/** Follows pkg/registry/apps/statefulset/strategy.go. */
export const statefulSetStrategy: Strategy<o.StatefulSet> = {
  hasStatus: true,
  hasGeneration: true,
  default: defaultStatefulSet,
  prepareForCreate: (set) => ({ ...withoutMaxUnavailable(set), status: { replicas: 0, availableReplicas: 0 } }),
  prepareForUpdate: withoutMaxUnavailable,
  validate: validation.statefulSet,
  validateUpdate: validation.statefulSetUpdate,
  validateStatusUpdate: (object, before) => [
    ...objectMetaUpdate(object.metadata, before.metadata),
    ...replicaCounts({ ...object.status }),
  ],
  raisesGeneration: (object, before) => !equal(object.spec, before.spec),
}

/** Follows pkg/apis/apps/v1/defaults.go SetDefaults_DaemonSet. */
const defaultDaemonSet = (set: o.DaemonSet): o.DaemonSet =>
  within(set, 'spec', (spec) => {
    let out = fill(spec, { revisionHistoryLimit: 10, template: {} as never, updateStrategy: {} as never })
    out = within(out, 'updateStrategy', (strategy) => fillZero(strategy, { type: 'RollingUpdate' }))
    if (out.updateStrategy.type === 'RollingUpdate')
      out = within(out, 'updateStrategy', (strategy) =>
        within(fill(strategy, { rollingUpdate: {} as never }), 'rollingUpdate', (rolling) =>
          fill(rolling, { maxUnavailable: 1, maxSurge: 0 }),
        ),
      )
    return within(out, 'template', defaultTemplate)
  })

const GENERATION = 'deprecated.daemonset.template.generation'

/** Follows pkg/registry/apps/daemonset/strategy.go, with the annotation by which the old API counted templates. */
export const daemonSetStrategy: Strategy<o.DaemonSet> = {
  hasStatus: true,
  hasGeneration: true,
  default: defaultDaemonSet,
  prepareForCreate: (set) => ({
    ...withTemplateGeneration(set, 1),
    status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  }),
  prepareForUpdate: (set, before) => {
    const was = Number(before.metadata.annotations?.[GENERATION] ?? 0)
    return withTemplateGeneration(set, equal(set.spec.template, before.spec.template) ? was : was + 1)
  },
  validate: validation.daemonSet,
  validateUpdate: validation.daemonSetUpdate,
  validateStatusUpdate: (object, before) => objectMetaUpdate(object.metadata, before.metadata),
  raisesGeneration: (object, before) => !equal(object.spec, before.spec),
}

function withTemplateGeneration(set: o.DaemonSet, generation: number): o.DaemonSet {
  const annotations = { ...set.metadata.annotations, [GENERATION]: String(generation) }
  return { ...set, metadata: { ...set.metadata, annotations } }
}

/** Follows pkg/registry/apps/controllerrevision/strategy.go: its data never changes. */
export const controllerRevisionStrategy: Strategy<o.ControllerRevision> = {
  hasStatus: false,
  hasGeneration: false,
  default: (revision) => revision,
  validate: (revision) => objectMeta(revision.metadata, dns1123Subdomain),
  validateUpdate: (revision, before) => [
    ...objectMetaUpdate(revision.metadata, before.metadata),
    ...immutable(equal(revision.data, before.data), revision.data, 'data'),
  ],
}
