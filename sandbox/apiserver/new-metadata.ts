import { ApiError } from '../kube/errors.ts'
import { type Kind, keyOf, Namespace } from '../kube/kinds.ts'
import type { ObjectMeta } from '../kube/objects.ts'
import type { RandomStream } from '../world/random.ts'
import { toRfc3339, type Us } from '../world/time.ts'
import type { StrategyContext } from './strategy.ts'

const SUFFIX_LENGTH = 5
const BASE_MAX = 63 - SUFFIX_LENGTH
/** Names tried when a generated one is taken. Follows pkg/registry/generic/registry/store.go maxNameGenerationCreateAttempts. */
const ATTEMPTS = 8

/** The metadata of a new object: what the client gave, and what the server sets. Follows pkg/registry/rest/create.go. */
export function newMetadata(
  kind: Kind,
  given: Partial<ObjectMeta>,
  options: { random: RandomStream; now: Us; taken(key: string): boolean },
): ObjectMeta {
  const { random, now, taken } = options
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, generation: ___, namespace, ...kept } = given
  const place = kind.namespaced ? { namespace: namespace || 'default' } : {}
  let name = given.name
  for (let tries = 0; !name && given.generateName && tries < ATTEMPTS; tries++) {
    const candidate = `${given.generateName.slice(0, BASE_MAX)}${random.suffix(SUFFIX_LENGTH)}`
    if (tries === ATTEMPTS - 1 || !taken(keyOf({ metadata: { ...place, name: candidate } }))) name = candidate
  }
  return {
    ...kept,
    ...place,
    name: name ?? '',
    uid: uuid(random),
    resourceVersion: '',
    creationTimestamp: toRfc3339(now),
  }
}

/**
 * A namespace that is being deleted takes nothing new. One that no object describes is taken to exist.
 * Follows k8s.io/apiserver pkg/admission/plugin/namespace/lifecycle/admission.go.
 */
export function checkNamespace(kind: Kind, meta: ObjectMeta, context: StrategyContext): void {
  if (meta.namespace === undefined) return
  const namespace = context.peek(Namespace, meta.namespace)
  if (!namespace?.metadata.deletionTimestamp) return
  throw new ApiError(
    403,
    'Forbidden',
    `${kind.id} "${meta.name}" is forbidden: unable to create new content in namespace ${meta.namespace} because it is being terminated`,
  )
}

function uuid(random: RandomStream): string {
  const word = () => hex16(random.int(0x1_0000))
  const twelveBits = () => hex16(random.int(0x1000)).slice(1)
  const first = word() + word()
  const second = word()
  const third = twelveBits()
  return `${first}-${second}-4${third}-${'89ab'[random.int(4)]}${twelveBits()}-${word()}${word()}${word()}`
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

const hex16 = (n: number): string => BYTES[n >> 8]! + BYTES[n & 0xff]!
