import { ApiError } from '../kube/errors.ts'
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
