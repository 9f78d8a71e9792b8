import { createHash } from 'node:crypto'
import { metricsOutline } from './metrics-outline.ts'
import { header, type Recording } from './recording.ts'

/** In bytes: larger bodies that hold nothing random are kept as their digest. */
const LARGE = 100_000

/** A recording without what is never compared: values of metrics, and bodies that are too large to keep. */
export function shortened(recording: Recording): Recording {
  const { answer } = recording
  const { body, ...rest } = answer
  if (body === undefined) return recording
  const type = header(answer, 'content-type') ?? ''
  if (/^(?:text\/plain; version=|application\/openmetrics)/.test(type))
    return { ...recording, answer: { ...rest, outline: metricsOutline(body) } }
  if (Buffer.byteLength(body) > LARGE && !type.startsWith('text/event-stream'))
    return { ...recording, answer: { ...rest, sha256: createHash('sha256').update(body).digest('hex') } }
  return recording
}
