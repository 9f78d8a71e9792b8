import { Deployment } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Task } from '../../world/actor.ts'
import { syncSets } from './replica-sets.ts'
import { annotationsOfRollback, lastRevision, ROLLBACK_TO, revisionOf } from './revision.ts'
import { sameTemplate, TEMPLATE_HASH } from './template-hash.ts'
import type { Pass } from './working-copy.ts'

// follows pkg/controller/deployment/rollback.go

/** The revision an annotation of old asks to go back to: 0 for the last one, undefined when nothing asks. */
export function rollbackTarget(d: o.Deployment): number | undefined {
  const text = d.metadata.annotations?.[ROLLBACK_TO]
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}

/** Gives the Deployment the template of an earlier revision, and takes the request away. */
export function* rollBack(pass: Pass, owned: readonly o.ReplicaSet[], target: number): Task {
  const { d, context } = pass
  const { all } = yield* syncSets(pass, owned, true)
  const warn = (reason: string, message: string) => context.kube.event(d, 'Warning', reason, message)
  const revision = target || lastRevision(all)
  const rs = revision === 0 ? undefined : all.find((set) => revisionOf(set) === revision)
  if (!rs) {
    const message = revision === 0 ? 'Unable to find last revision.' : 'Unable to find the revision to rollback to.'
    warn('DeploymentRollbackRevisionNotFound', message)
    return yield* finish(pass, d)
  }
  const { name } = d.metadata
  if (sameTemplate(d.spec.template, rs.spec.template)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`
    warn('DeploymentRollbackTemplateUnchanged', message)
    return yield* finish(pass, d)
  }
  yield* finish(pass, withTemplateOf(d, rs))
  context.kube.event(d, 'Normal', 'DeploymentRollback', `Rolled back deployment "${name}" to revision ${revision}`)
}

/** The Deployment as `kubectl rollout undo` would leave it: with the template of `rs`, without its hash label. */
export function withTemplateOf(d: o.Deployment, rs: o.ReplicaSet): o.Deployment {
  const { [TEMPLATE_HASH]: _, ...labels } = rs.spec.template.metadata.labels ?? {}
  const template = { ...rs.spec.template, metadata: { ...rs.spec.template.metadata, labels } }
  return {
    ...d,
    metadata: { ...d.metadata, annotations: annotationsOfRollback(d, rs) },
    spec: { ...d.spec, template },
  }
}

function* finish({ context }: Pass, d: o.Deployment): Task {
  const { [ROLLBACK_TO]: _, ...annotations } = d.metadata.annotations ?? {}
  yield* context.kube.update(Deployment, { ...d, metadata: { ...d.metadata, annotations } })
}
