import type { LogRecord } from '../../server/log-format.ts'
import { WireError } from '../errors.ts'
import { pyRepr } from '../python/text.ts'

/** Handlers that log a model they do not serve, with the line that does. */
const LOG_THE_MODEL: Readonly<Record<string, string>> = {
  '/v1/chat/completions': 'serving.py:274',
  '/v1/chat/completions/batch': 'serving.py:67',
  '/v1/responses': 'serving.py:334',
}

/** What the API server prints about a request that a handler has refused. Undefined: the line of the access log is all. */
// follows _check_model's callers in vllm/entrypoints/openai/*/serving.py, and uvicorn's run_asgi
export function refusalLog(path: string, thrown: unknown): LogRecord | undefined {
  if (!(thrown instanceof WireError) || thrown.unhandled)
    return { text: `ERROR:    Exception in ASGI application\n${String(thrown)}` }
  const where = LOG_THE_MODEL[path]
  const { type, param, message, status } = thrown
  if (where === undefined || type !== 'NotFoundError' || param !== 'model') return undefined
  const fields = `message=${pyRepr(message)}, type=${pyRepr(type)}, param=${pyRepr(param)}, code=${status}`
  return { process: 'APIServer', level: 'ERROR', where, text: `Error with model error=ErrorInfo(${fields})` }
}
