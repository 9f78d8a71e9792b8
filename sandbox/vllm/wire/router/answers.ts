import { errorObject, WireError } from '../errors.ts'
import type { Header, WholeAnswer } from '../http.ts'

const JSON_TYPE = 'application/json'

/** Starlette's JSONResponse, of values without floats: those must keep their point, which JSON.stringify drops. */
export const json = (value: unknown, status = 200, headers?: readonly Header[]): WholeAnswer => ({
  status,
  contentType: JSON_TYPE,
  body: JSON.stringify(value),
  ...(headers ? { headers } : {}),
})

/** An answer without a body or a type. */
export const empty = (status = 200): WholeAnswer => ({ status, body: '' })

/** vLLM's error object. */
export const refusal = (error: WireError): WholeAnswer => ({
  ...json(errorObject(error), error.status),
  ...(error.unhandled ? { bare: true } : {}),
})

/** What vLLM answers where a handler throws: its own errors in good form, all others outside the middleware. */
// follows vllm/entrypoints/serve/exception_handling/register.py
export function answerOf(thrown: unknown): WholeAnswer {
  if (thrown instanceof WireError) return refusal(thrown)
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return refusal(new WireError(500, 'InternalServerError', message, null, { unhandled: true }))
}
