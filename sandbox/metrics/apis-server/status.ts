/** An error as an aggregated API answers it. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, never>>
  readonly status: 'Failure'
  readonly message: string
  readonly reason?: string
  readonly details?: unknown
  readonly code: number
}

/** What a request fails with: the message is the Status'. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly status: number
  readonly reason: string | undefined
  readonly details: unknown

  constructor(status: number, reason: string | undefined, message: string, details?: unknown) {
    super(message)
    this.status = status
    this.reason = reason
    this.details = details
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  500: 'InternalError',
  503: 'ServiceUnavailable',
}

/** The Status of an error: its own code where it has one; any other error is a plain 500 in its own words. */
// follows k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/status.go ErrorToAPIStatus
export function statusOf(error: unknown): Status {
  const message = error instanceof Error ? error.message : String(error)
  const code = codeOf(error)
  const reason = error instanceof StatusError ? error.reason : code === undefined ? undefined : REASONS[code]
  const details = error instanceof StatusError ? error.details : undefined
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code: code ?? 500,
  }
}

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined

export const badRequest = (message: string) => new StatusError(400, 'BadRequest', message)

/** Nothing is served under the path. */
// follows k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go and its default for paths nobody handles
export const noSuchPath = () => new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})

/** An object that is not there. */
// follows k8s.io/apimachinery/pkg/api/errors NewNotFound
export const notFound = (group: string, resource: string, name: string) =>
  new StatusError(404, 'NotFound', `${group ? `${resource}.${group}` : resource} "${name}" not found`, {
    name,
    ...(group ? { group } : {}),
    kind: resource,
  })
