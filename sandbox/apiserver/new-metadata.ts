import { ApiError } from '../kube/errors.ts'
import { type Kind, Namespace } from '../kube/kinds.ts'
import type { ObjectMeta } from '../kube/objects.ts'
import { AsciiText, DASH, HEX_CODES } from '../world/ascii.ts'
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
  const namespace = kind.namespaced ? given.namespace || 'default' : undefined
  let name = given.name
  for (let tries = 0; !name && given.generateName && tries < ATTEMPTS; tries++) {
    const candidate = `${given.generateName.slice(0, BASE_MAX)}${random.suffix(SUFFIX_LENGTH)}`
    if (tries === ATTEMPTS - 1 || !taken(namespace === undefined ? candidate : `${namespace}/${candidate}`))
      name = candidate
  }
  const made: ObjectMeta = {
    ...asked(given),
    name: name ?? '',
    uid: uuid(random),
    resourceVersion: '',
    creationTimestamp: toRfc3339(now),
  }
  if (namespace !== undefined) made.namespace = namespace
  return made
}

/** Without what only the server sets, and the namespace, which not every kind has. */
function asked(given: Partial<ObjectMeta>): Partial<ObjectMeta> {
  if (given.namespace === undefined && !SERVERS_OWN.some((field) => field in given)) return given
  const { deletionTimestamp: _, deletionGracePeriodSeconds: __, generation: ___, namespace: ____, ...kept } = given
  return kept
}

const SERVERS_OWN = ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'namespace'] as const

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

const text = new AsciiText(36)
const VARIANTS = [...'89ab'].map((digit) => digit.charCodeAt(0))

/** A version-4 UUID. */
function uuid(random: RandomStream): string {
  const word = () => random.int(0x1_0000)
  const twelveBits = () => random.int(0x1000)
  text.clear().hex(word(), 4).hex(word(), 4).put(DASH).hex(word(), 4).put(DASH).put(HEX_CODES[4]!)
  text.hex(twelveBits(), 3).put(DASH).put(VARIANTS[random.int(4)]!).hex(twelveBits(), 3).put(DASH)
  return text.hex(word(), 4).hex(word(), 4).hex(word(), 4).toString()
}
