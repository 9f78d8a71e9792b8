import { WireError } from '../errors.ts'
import type { WireRequest } from '../http.ts'
import { Invalid, type Schema, State } from '../pydantic/outcome.ts'
import { type Fields, typedDict } from '../pydantic/records.ts'
import { validationError } from '../pydantic/report.ts'
import { decodeJsonBytes } from '../python/decode.ts'
import { JsonDecodeError, parsePythonJson } from '../python/json-scanner.ts'
import { isDict, type PyDict, type PyValue } from '../python/value.ts'

/** Query parameters as FastAPI reads them, the last of those sent twice. Throws the answer to wrong ones. */
export const readQuery = (request: WireRequest, fields: Fields): PyDict =>
  checked(typedDict('query', fields), new Map(request.query), 'query')

/** A value that fits a schema. Throws the answer to one that does not. */
export function checked(schema: Schema, value: PyValue, where: 'query' | 'body'): PyDict {
  const outcome = schema.check(value, new State())
  if (outcome instanceof Invalid) throw validationError(outcome.errors, where)
  return outcome as PyDict
}

/** The body of handlers that parse it themselves, whatever its type. Throws a refusal in the words given. */
export function readJsonObject(request: WireRequest, notJson: (error: JsonDecodeError) => string): PyDict {
  const body = parsed(request.body, notJson)
  if (isDict(body)) return body
  throw httpException(400, 'Request body must be a JSON object')
}

function parsed(bytes: Uint8Array, notJson: (error: JsonDecodeError) => string): PyValue {
  try {
    return parsePythonJson(decodeJsonBytes(bytes))
  } catch (error) {
    if (error instanceof JsonDecodeError) throw httpException(400, notJson(error))
    throw error
  }
}

/** `fastapi.HTTPException`: vLLM's error object with the status's own name as its type. */
// follows vllm/entrypoints/serve/exception_handling/handlers/http.py
export const httpException = (status: 400 | 500, detail: string): WireError =>
  new WireError(status, status === 400 ? 'Bad Request' : 'Internal Server Error', detail)
