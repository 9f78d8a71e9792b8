/** Types of vLLM's error objects. */
export type ErrorType =
  | 'BadRequestError'
  | 'Bad Request'
  | 'NotFoundError'
  | 'InternalServerError'
  | 'PermissionDeniedError'
  | 'Service Unavailable'
  | 'Internal Server Error'
  | 'InvalidUserInput'
  | 'NotImplementedError'
  | 'invalid_request_error'

export interface WireErrorOptions {
  /** No handler of vLLM's catches it: the outermost middleware answers, so neither `vary` nor `x-request-id` stands in the head. */
  readonly unhandled?: boolean
  /** The body is FastAPI's own `{"detail":"…"}`, without an error object. */
  readonly detail?: boolean
}

/**
 * A request vLLM refuses, as its error object says it. `message` is whole: with the suffix that names parameter and value, where
 * upstream adds one.
 */
// follows vllm/entrypoints/serve/exception_handling and vllm/exceptions.py
export class WireError extends Error {
  readonly status: number
  readonly type: ErrorType
  readonly param: string | null
  readonly unhandled: boolean
  readonly detail: boolean

  constructor(
    status: number,
    type: ErrorType,
    message: string,
    param: string | null = null,
    { unhandled = false, detail = false }: WireErrorOptions = {},
  ) {
    super(message)
    this.status = status
    this.type = type
    this.param = param
    this.unhandled = unhandled
    this.detail = detail
  }
}

/** A refusal with status 400 that names the parameter, and the value as Python prints it. */
export function badRequest(message: string, param?: string, value?: string): WireError {
  const about = [
    ...(param === undefined ? [] : [`parameter=${param}`]),
    ...(value === undefined ? [] : [`value=${value}`]),
  ]
  const suffix = about.length > 0 ? ` (${about.join(', ')})` : ''
  return new WireError(400, 'BadRequestError', `${message}${suffix}`, param ?? null)
}

/** The body of a whole answer; a stream carries the same, written with spaces. Its message is without paths and addresses. */
export const errorObject = ({ message, type, param, status, detail }: WireError) =>
  detail ? { detail: message } : { error: { message: sanitizeMessage(message), type, param, code: status } }

/** Takes memory addresses, lines of tracebacks and file paths out of a message. */
// follows vllm/entrypoints/serve/exception_handling/utils.py
export function sanitizeMessage(message: string): string {
  return message
    .replace(/ at 0x[0-9a-fA-F]+>/gu, '>')
    .replace(/\n?\s*File "[^"]+", line \p{Nd}+, in \S+(?:\n\s+[^\n]*)?/gu, '')
    .replace(/\/(?:home|usr|opt|var|tmp|root|lib|mnt|srv)(?:\/[\p{L}\p{M}\p{Nd}_.-]+)+/gu, '<path>')
    .replace(/(?:\/[\p{L}\p{M}\p{Nd}_-]+)+\/[\p{L}\p{M}\p{Nd}_-]+\.[\p{L}\p{M}\p{Nd}_]+/gu, '<path>')
    .replace(/^\s+|\s+$/gu, '')
}
