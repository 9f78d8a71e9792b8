import { evaluatorOf } from '../../apiserver/admission/evaluator.ts'
import {
  ConfigMap,
  type Kind,
  kindNamed,
  kindOf,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Secret,
  Service,
} from '../../kube/kinds.ts'

/** Kinds that quotas limit by more than `count/…`. */
const SPECIAL: readonly Kind[] = [
  Pod,
  Service,
  PersistentVolumeClaim,
  ConfigMap,
  Secret,
  ResourceQuota,
  kindOf({ apiVersion: 'v1', kind: 'ReplicationController' }),
] as readonly Kind[]

/** The kinds whose objects use some of these limited resources. */
export function countedKinds(names: readonly string[]): readonly Kind[] {
  const kinds = SPECIAL.filter((kind) => evaluatorOf(kind)!.matching(names).length > 0)
  for (const name of names) {
    const kind = name.startsWith('count/') ? kindNamed(name.slice('count/'.length)) : undefined
    if (kind && evaluatorOf(kind) && !kinds.includes(kind)) kinds.push(kind)
  }
  return kinds
}
