/** An answer of the API server that is not 2xx, as metav1.Status gives it. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: ApiReason

  constructor(code: number, reason: ApiReason, message: string) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.reason = reason
  }
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

export const invalid = (kind: string, name: string, causes: readonly string[]): ApiError =>
  new ApiError(
    422,
    'Invalid',
    `${kind} "${name}" is invalid: ${causes.length === 1 ? causes[0] : `[${causes.join(', ')}]`}`,
  )
