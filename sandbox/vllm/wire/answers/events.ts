import { errorObject, type WireError } from '../errors.ts'
import { dumps } from '../python/dumps.ts'

export const EVENT_STREAM = 'text/event-stream; charset=utf-8'

/** The last event of a stream, good or bad. */
export const DONE = 'data: [DONE]\n\n'

/** A refusal as an event of a stream: Python's own JSON, with its spaces and ASCII only. */
// follows vllm/entrypoints/generate/base/serving.py create_streaming_error_response
export const errorEvent = (error: WireError): string => `data: ${dumps(errorObject(error))}\n\n`
