import { equal } from '../../journal/merge-patch.ts'
import { canonical } from '../../journal/record.ts'
import type * as o from '../../kube/objects.ts'

/** The label that tells the pods of one ReplicaSet of a Deployment from those of the others. */
export const TEMPLATE_HASH = 'pod-template-hash'

/** The alphabet of k8s.io/apimachinery/pkg/util/rand. */
const ALPHANUMS = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * What a ReplicaSet's name ends in: FNV-1a over the template and the count of collisions, written as upstream writes it. The
 * value differs from upstream's, which hashes Go's print of the structure. Follows ComputeHash in pkg/controller/controller_utils.go.
 */
export function templateHash(template: o.PodTemplateSpec, collisionCount: number | undefined): string {
  const text = canonical(template) + (collisionCount === undefined ? '' : `#${collisionCount}`)
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return [...String(hash >>> 0)].map((digit) => ALPHANUMS[digit.charCodeAt(0) % ALPHANUMS.length]).join('')
}

/** A ReplicaSet's name. Follows generateReplicaSetName in pkg/controller/deployment/sync.go. */
export const replicaSetName = (deployment: string, hash: string): string =>
  `${deployment.slice(0, 253 - 1 - hash.length)}-${hash}`

/** Whether two templates are the same but for the hash label. Follows EqualIgnoreHash. */
export const sameTemplate = (a: o.PodTemplateSpec, b: o.PodTemplateSpec): boolean =>
  equal(a.spec, b.spec) && equal(comparable(a), comparable(b))

function comparable({ metadata }: o.PodTemplateSpec): object {
  const { [TEMPLATE_HASH]: _, ...labels } = metadata?.labels ?? {}
  const { annotations } = metadata ?? {}
  return { name: metadata?.name, labels, annotations: annotations ?? {} }
}
