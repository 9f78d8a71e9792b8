/** An answer of the API server that is not 2xx, as metav1.Status gives it. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: ApiReason
  /** Why, where the message does not say, and after how many seconds to ask again. */
  readonly details: ApiErrorDetails

  constructor(code: number, reason: ApiReason, message: string, details: ApiErrorDetails = {}) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.reason = reason
    this.details = details
  }
}

/** The parts of metav1.StatusDetails that clients go by. */
export interface ApiErrorDetails {
  readonly causes?: readonly { readonly reason: string; readonly message: string }[]
  readonly retryAfterSeconds?: number
}

export type ApiReason =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'Forbidden'
  | 'BadRequest'
  | 'TooManyRequests'
  | 'Expired'
  | 'MethodNotAllowed'
  | 'InternalError'
  | 'Unreachable'

export const isApiError = (error: unknown, reason: ApiReason): boolean =>
  error instanceof ApiError && error.reason === reason

// follows k8s.io/apimachinery/pkg/api/errors/errors.go
export const notFound = (resource: string, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${resource} "${name}" not found`)

export const alreadyExists = (resource: string, name: string): ApiError =>
  new ApiError(409, 'AlreadyExists', `${resource} "${name}" already exists`)

export const conflict = (resource: string, name: string, why: string): ApiError =>
  new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${resource} "${name}": ${why}`)

/** The kind with its group, as messages name it: `Deployment.apps`. */
export const qualified = (kind: { apiVersion: string; kind: string }): string => {
  const slash = kind.apiVersion.indexOf('/')
  return slash < 0 ? kind.kind : `${kind.kind}.${kind.apiVersion.slice(0, slash)}`
}

export const invalid = (
  kind: { apiVersion: string; kind: string },
  name: string,
  causes: readonly string[],
): ApiError => {
  const distinct = [...new Set(causes)]
  const listed = distinct.length === 1 ? distinct[0] : `[${distinct.join(', ')}]`
  return new ApiError(422, 'Invalid', `${qualified(kind)} "${name}" is invalid: ${listed}`)
}
