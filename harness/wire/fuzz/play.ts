import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { AnswerReader, type Destination, type RawAnswer } from '../raw-http.ts'
import type { FuzzCase } from './cases.ts'

/** What came of one. */
export interface Played {
  readonly kind: FuzzCase['kind']
  /** Undefined: the server closed the connection without an answer, or the client left. */
  readonly answer?: RawAnswer
  /** What is wrong with it. */
  readonly wrong?: string
}

/** Milliseconds of silence after which a server is taken to hang. */
const SILENCE_MS = 20_000

/** Plays a case to its end. Never throws: what goes wrong is told. */
export async function play(to: Destination, fuzz: FuzzCase): Promise<Played> {
  try {
    const answer = await exchanged(to, fuzz)
    const wrong = answer && wrongOf(answer, fuzz)
    return { kind: fuzz.kind, ...(answer && { answer }), ...(wrong !== undefined && { wrong }) }
  } catch (error) {
    return { kind: fuzz.kind, wrong: (error as Error).message }
  }
}

function exchanged(to: Destination, { kind, method, bytes, after }: FuzzCase): Promise<RawAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(to.port, to.host)
    // what garbles the head may make another method of it
    const reader = new AnswerReader(kind === 'garbled' && bytes.subarray(0, 4).toString() !== 'HEAD' ? 'GET' : method)
    let received = 0
    const leave = (answer?: RawAnswer) => {
      socket.destroy()
      resolve(answer)
    }
    const fail = (error: Error) => {
      socket.destroy()
      // a server that answers before it has read all may reset what it did not read
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED' || error.message === 'hangs') reject(error)
      else resolve(undefined)
    }
    socket.setTimeout(SILENCE_MS, () => fail(new Error('hangs')))
    socket.on('error', fail)
    socket.on('data', (data) => {
      received += data.length
      if (kind === 'abandoned' && received > after) return leave()
      let answer: RawAnswer | undefined
      try {
        answer = reader.read(data)
      } catch (error) {
        socket.destroy()
        reject(error)
        return
      }
      if (answer) leave(answer)
    })
    socket.on('end', () => leave(reader.ended()))
    socket.write(bytes)
    if (kind === 'truncated' || kind === 'garbled')
      void pause(Math.max(after, kind === 'garbled' ? 400 : 0)).then(() => leave())
    if (kind === 'abandoned' && after < 20) void pause(after).then(() => leave())
    if (kind === 'slow') {
      socket.pause()
      void pause(after).then(() => socket.resume())
    }
  })
}

const ERROR_KEYS = 'message,type,param,code'

/** Status and form of an answer, whatever was asked. */
function wrongOf(answer: RawAnswer, { kind, method }: FuzzCase): string | undefined {
  const { status, headers, body = '' } = answer
  const value = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1]
  if (value('date') === undefined) return 'no date'
  if (status < 400 || method === 'HEAD' || kind === 'garbled') return undefined
  if (body === 'Invalid HTTP request received.' && status === 400) return undefined
  if (body === 'Disallowed CORS origin' && status === 400) return undefined
  if (value('content-type') === undefined) return [403, 503].includes(status) ? undefined : 'an error without content'
  if (value('content-type') !== 'application/json') return `${status} ${value('content-type')} ${body.slice(0, 200)}`
  return wrongError(status, JSON.parse(body))
}

function wrongError(status: number, said: Record<string, unknown>): string | undefined {
  if (Object.keys(said).join() === 'detail' && typeof said['detail'] === 'string') return undefined
  if (said['type'] === 'error') return undefined
  const error = said['error']
  if (status === 401 && error === 'Unauthorized') return undefined
  if (typeof error !== 'object' || error === null) return `no error object: ${JSON.stringify(said).slice(0, 200)}`
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (Object.keys(error).join() !== ERROR_KEYS) return `keys ${Object.keys(error).join()}`
  if (code !== status) return `status ${status}, code ${code}`
  // upstream has no words for a priority that the engine cannot be told
  if (message === '' && status === 500) return undefined
  if (typeof message !== 'string' || message === '') return 'no message'
  // what Python raises where vLLM does not look, and nothing of JavaScript
  return status >= 500 && !/ object (?:has no attribute|is not|does not|cannot)|Scale failed/.test(message)
    ? `${status} ${message.slice(0, 300)}`
    : undefined
}
