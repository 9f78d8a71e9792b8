import { isApiError } from '../kube/errors.ts'
import { ConfigMap, type Kind, PersistentVolumeClaim, Secret } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Container, OtherObject, Pod } from '../kube/objects.ts'
import type { Task } from '../world/actor.ts'

type Json = Readonly<Record<string, unknown>>

/** A ConfigMap, Secret or claim that a pod cannot do without. */
export interface Reference {
  readonly kind: 'configmap' | 'secret' | 'claim'
  readonly name: string
  /** The key in its data that must be there. */
  readonly key?: string
  /** The volume it is for. */
  readonly volume?: string
}

/** Every cluster's controller manager publishes this one in each namespace. */
const ROOT_CA = 'kube-root-ca.crt'

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the volumes of a pod need, without what is optional. */
export function volumeReferences(pod: Pod): Reference[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => {
    const projected =
      isJson(volume.projected) && Array.isArray(volume.projected.sources) ? volume.projected.sources : []
    const found = [volumeSource(volume), ...projected.filter(isJson).map(projection)]
    return found.filter((r) => r !== undefined).map((r) => ({ ...r, volume: volume.name }))
  })
}

function volumeSource(volume: Json): Reference | undefined {
  const { configMap, secret, persistentVolumeClaim: claim } = volume
  if (isJson(configMap)) return reference('configmap', configMap.name, configMap.optional)
  if (isJson(secret)) return reference('secret', secret.secretName, secret.optional)
  return isJson(claim) ? reference('claim', claim.claimName, false) : undefined
}

function projection(source: Json): Reference | undefined {
  const { configMap, secret } = source
  if (isJson(configMap)) return reference('configmap', configMap.name, configMap.optional)
  return isJson(secret) ? reference('secret', secret.name, secret.optional) : undefined
}

/** What the environment of a container needs. */
export function environmentReferences(container: Container): Reference[] {
  const whole = (container.envFrom ?? []).filter(isJson).map((from) => {
    const { configMapRef, secretRef } = from
    if (isJson(configMapRef)) return reference('configmap', configMapRef.name, configMapRef.optional)
    return isJson(secretRef) ? reference('secret', secretRef.name, secretRef.optional) : undefined
  })
  const keys = (container.env ?? []).map(({ valueFrom }) => {
    if (!isJson(valueFrom)) return undefined
    const { configMapKeyRef, secretKeyRef } = valueFrom
    if (isJson(configMapKeyRef))
      return reference('configmap', configMapKeyRef.name, configMapKeyRef.optional, configMapKeyRef.key)
    return isJson(secretKeyRef)
      ? reference('secret', secretKeyRef.name, secretKeyRef.optional, secretKeyRef.key)
      : undefined
  })
  return [...whole, ...keys].filter((r) => r !== undefined)
}

function reference(kind: Reference['kind'], name: unknown, optional: unknown, key?: unknown): Reference | undefined {
  if (optional === true || typeof name !== 'string' || name === ROOT_CA) return undefined
  return { kind, name, ...(typeof key === 'string' ? { key } : {}) }
}

const KIND = { configmap: ConfigMap, secret: Secret, claim: PersistentVolumeClaim } as const

/** What is wrong with a reference, in the kubelet's words; undefined when all is there. */
export function* missing(kube: Kube, namespace: string, ref: Reference): Task<string | undefined> {
  let object: OtherObject
  try {
    object = yield* kube.read<OtherObject>(KIND[ref.kind] as Kind<OtherObject>, `${namespace}/${ref.name}`)
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
    return `${ref.kind === 'claim' ? 'persistentvolumeclaim' : ref.kind} "${ref.name}" not found`
  }
  if (ref.key === undefined) return undefined
  const has = ['data', 'binaryData', 'stringData'].some((part) => {
    const data = object[part]
    return isJson(data) && Object.hasOwn(data, ref.key!)
  })
  const kind = ref.kind === 'secret' ? 'Secret' : 'ConfigMap'
  return has ? undefined : `couldn't find key ${ref.key} in ${kind} ${namespace}/${ref.name}`
}
