import { equal } from '../../journal/merge-patch.ts'
import { isApiError } from '../../kube/errors.ts'
import { controllerOf, revisionsByController } from '../../kube/indexes.ts'
import { ControllerRevision, keyOf } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { selects } from '../../kube/selects.ts'
import type { Task } from '../../world/actor.ts'
import { fromRfc3339 } from '../../world/time.ts'
import { controllerRef } from '../claim.ts'
import { templateHash } from '../deployment/template-hash.ts'

// follows pkg/controller/history/controller_history.go

type Owner = o.KubeObject & { spec: { selector: o.LabelSelector; template: o.PodTemplateSpec } }

/** A revision not stored yet. */
export type NewRevision = Omit<o.ControllerRevision, 'metadata'> & {
  metadata: Partial<o.ObjectMeta> & { name: string }
}

const HASH_LABEL = 'controller.kubernetes.io/hash'
const NAME_MAX = 223

/** The owner's revisions and those nobody controls that its selector matches, by revision, then age, then name. */
export function listRevisions(kube: Kube, owner: Owner): o.ControllerRevision[] {
  const { uid, namespace } = owner.metadata
  const orphans = kube.indexed(revisionsByController, `${namespace}/`)
  return sortRevisions(
    [...kube.indexed(revisionsByController, uid), ...orphans].filter(
      ({ metadata, data }) => data !== undefined && selects(owner.spec.selector, metadata.labels),
    ),
  )
}

export const sortRevisions = (revisions: readonly o.ControllerRevision[]): o.ControllerRevision[] =>
  [...revisions].sort(
    (a, b) =>
      a.revision - b.revision ||
      fromRfc3339(a.metadata.creationTimestamp) - fromRfc3339(b.metadata.creationTimestamp) ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  )

/** What the owner's template is now, as a revision. The hash has upstream's form, not its value. */
export function revisionOf(
  owner: Owner,
  options: { revision: number; collisionCount: number; hashLabel?: string },
): NewRevision {
  const { template } = owner.spec
  const hash = templateHash(template, options.collisionCount)
  const { name, namespace, annotations } = owner.metadata
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: revisionName(name, hash),
      namespace,
      labels: { ...template.metadata.labels, [options.hashLabel ?? HASH_LABEL]: hash },
      ...(annotations ? { annotations } : {}),
      ownerReferences: [controllerRef(owner)],
    },
    data: { spec: { template: { ...template, $patch: 'replace' } } },
    revision: options.revision,
  }
}

const revisionName = (owner: string, hash: string): string => `${owner.slice(0, NAME_MAX)}-${hash}`

/** Whether two revisions hold the same template. */
export const sameRevision = (a: { data: unknown }, b: { data: unknown }): boolean => equal(a.data, b.data)

/** The template a revision holds. */
export function templateOf({ data }: o.ControllerRevision): o.PodTemplateSpec {
  const { $patch: _, ...template } = data.spec.template
  return template
}

/**
 * Stores a revision; a name that another template holds raises the count of collisions and is tried anew.
 * Follows CreateControllerRevision.
 */
export function* createRevision(
  kube: Kube,
  owner: Owner,
  draft: NewRevision,
  collisionCount: number,
): Task<{ revision: o.ControllerRevision; collisionCount: number }> {
  for (let count = collisionCount; ; count++) {
    const hash = templateHash(owner.spec.template, count)
    const metadata = { ...draft.metadata, name: revisionName(owner.metadata.name, hash) }
    try {
      return { revision: yield* kube.create(ControllerRevision, { ...draft, metadata }), collisionCount: count }
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error
      const there = yield* kube.read(ControllerRevision, `${owner.metadata.namespace}/${metadata.name}`)
      if (sameRevision(there, draft)) return { revision: there, collisionCount: count }
    }
  }
}

/** Gives a revision a new number. */
export function* renumber(kube: Kube, held: o.ControllerRevision, revision: number): Task<o.ControllerRevision> {
  if (held.revision === revision) return held
  return yield* kube.update(ControllerRevision, { ...held, revision })
}

/** Makes revisions nobody controls the owner's. */
export function* adoptRevisions(kube: Kube, owner: Owner, revisions: readonly o.ControllerRevision[]): Task {
  for (const held of revisions) {
    if (controllerOf(held)) continue
    const { uid, ownerReferences = [] } = held.metadata
    const metadata = { uid, ownerReferences: [...ownerReferences, controllerRef(owner)] }
    yield* kube.patch(ControllerRevision, keyOf(held), { metadata })
  }
}
