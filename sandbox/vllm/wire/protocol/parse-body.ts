import { WireError } from '../errors.ts'
import type { WireRequest } from '../http.ts'
import { Invalid, type Schema, State } from '../pydantic/outcome.ts'
import { validationError } from '../pydantic/report.ts'
import { decodeJsonBytes } from '../python/decode.ts'
import { JsonDecodeError, parsePythonJson } from '../python/json-scanner.ts'
import { pyRepr } from '../python/text.ts'
import type { PyDict, PyValue } from '../python/value.ts'

/** A request model: how a body becomes `T`. */
export interface RequestModel<T> {
  readonly name: string
  /** Throws a WireError. */
  parse(body: PyValue): T
}

/** A model of which the fields are validated, then read. */
export const requestModel = <T>(name: string, schema: Schema, read: (fields: PyDict) => T): RequestModel<T> => ({
  name,
  parse: (body) => {
    const checked = schema.check(body, new State())
    if (checked instanceof Invalid) throw validationError(checked.errors, 'body')
    return read(checked as PyDict)
  },
})

/** The body of a request as its model. Throws a WireError, in the order in which a server notices: JSON, content type, fields. */
// follows fastapi/routing.py and vllm/entrypoints/serve/utils/api_utils.py (validate_json_request)
export function parseBody<T>({ headers, body }: WireRequest, model: RequestModel<T>): T {
  const contentType = headers.get('content-type') ?? ''
  const value = body.length > 0 && isJson(contentType) ? parseJson(body) : null
  requireJson({ headers })
  if (value === null)
    throw validationError([{ type: 'missing', loc: [], message: 'Field required', input: null }], 'body')
  return model.parse(value)
}

/** Throws a WireError unless the request says that its body is JSON. */
// follows vllm/entrypoints/serve/utils/api_utils.py (validate_json_request)
export function requireJson({ headers }: Pick<WireRequest, 'headers'>): void {
  const contentType = headers.get('content-type') ?? ''
  if (contentType.toLowerCase().split(';', 1)[0] !== 'application/json') throw unsupported()
}

/** JSON of a body. Throws a WireError: by position where Python tells one. */
export function parseJson(body: Uint8Array): PyValue {
  try {
    return parsePythonJson(decodeJsonBytes(body))
  } catch (error) {
    if (error instanceof JsonDecodeError) throw invalidJson(error)
    throw new WireError(400, 'Bad Request', 'There was an error parsing the body', null, { detail: true })
  }
}

const invalidJson = ({ message, position }: JsonDecodeError): WireError =>
  validationError(
    [
      {
        type: 'json_invalid',
        loc: [position],
        message: 'JSON decode error',
        input: new Map(),
        context: [['error', pyRepr(message)]],
      },
    ],
    'body',
  )

const unsupported = (): WireError =>
  new WireError(400, 'Bad Request', "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed")

/** What FastAPI parses as JSON before anything looks at the content type. */
function isJson(contentType: string): boolean {
  const [type = '', subtype = '', ...rest] = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase().split('/')
  return rest.length === 0 && type === 'application' && (subtype === 'json' || subtype.endsWith('+json'))
}
