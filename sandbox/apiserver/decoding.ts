import { ApiError } from '../kube/errors.ts'
import { splitKey } from '../kube/kinds.ts'
import type { KubeObject } from '../kube/objects.ts'
import { QuantityError } from '../kube/quantity.ts'
import type { Strategy } from './strategy.ts'

/** The object with its kind's defaults. Throws BadRequest, as decoding does, when a quantity is none. */
export function defaulted<T extends KubeObject>(strategy: Strategy, object: T): T {
  try {
    return strategy.default(object) as T
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error
    const { kind, apiVersion } = object
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
    const message = `${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`
    throw new ApiError(400, 'BadRequest', message)
  }
}

/** A body may not name another object than the URL. Throws BadRequest. Follows k8s.io/apiserver pkg/endpoints/handlers/rest.go. */
export function checkTarget(key: string, body: { name?: string; namespace?: string }): void {
  const target = splitKey(key)
  for (const field of ['name', 'namespace'] as const) {
    const [asked, meant] = [body[field], target[field]]
    if (!asked || !meant || asked === meant) continue
    const message = `the ${field} of the object (${asked}) does not match the ${field} on the URL (${meant})`
    throw new ApiError(400, 'BadRequest', message)
  }
}
