import { type Recording, requestObject } from './recording.ts'

/**
 * The text decides when it ends: the finish reason and the number of tokens are then the model’s, not the server’s. False for what asks
 * for a number of tokens and got it, or forces the end by its logit bias.
 */
export function endsWithText(recording: Recording): boolean {
  const body = requestObject(recording.request)
  if (body === undefined) return false
  const tools = Array.isArray(body['tools']) && body['tools'].length > 0 && body['tool_choice'] !== 'none'
  return hasStop(body) || isStructured(body) || tools || endedByItself(body, recording.answer.body ?? '')
}

/** Tools may be called in the answer. */
export function mayCallTools(recording: Recording): boolean {
  const body = requestObject(recording.request)
  return Array.isArray(body?.['tools']) && body['tools'].length > 0 && body['tool_choice'] !== 'none'
}

const hasStop = ({ stop }: Readonly<Record<string, unknown>>) =>
  typeof stop === 'string' || (Array.isArray(stop) && stop.length > 0)

const isStructured = (body: Readonly<Record<string, unknown>>) => {
  const format = body['response_format'] as { type?: unknown } | null | undefined
  return (
    (format?.type !== undefined && format.type !== 'text') ||
    (body['structured_outputs'] !== undefined && body['structured_outputs'] !== null)
  )
}

const endedByItself = (body: Readonly<Record<string, unknown>>, answer: string) =>
  !isForced(body) &&
  /"(?:finish_reason|stop_reason)":"(?:stop|end_turn)"|"object":"response",.*"status":"completed","text"/.test(answer)

/** A bias that no probability outweighs. */
const FORCING = 50

const isForced = ({ logit_bias: bias }: Readonly<Record<string, unknown>>) =>
  typeof bias === 'object' && bias !== null && Object.values(bias).some((value) => Number(value) >= FORCING)
