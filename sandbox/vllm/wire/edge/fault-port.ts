import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopback } from '../../server/loopback.ts'
import { FaultError, type Faults } from '../process/faults.ts'

export interface FaultPortOptions {
  readonly faults: Faults
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  /** Asked for as `Authorization: Bearer …`; needed where the host is not loopback. */
  readonly token?: string | undefined
}

/** Longest body that is read. */
const MOST_BYTES = 64 * 1024

/**
 * Faults over HTTP, on a port of their own: `GET /` lists them, `POST /NAME` injects one (parameters as JSON), `DELETE /NAME` heals it and
 * `DELETE /` all.
 */
export class FaultPort {
  private readonly options: FaultPortOptions
  private readonly server: Server

  /** Throws a RangeError where anyone on the network could use it. */
  constructor(options: FaultPortOptions) {
    if (!isLoopback(options.host) && !options.token)
      throw new RangeError(
        `the fault port on ${options.host} can be reached from outside this machine: it needs a token`,
      )
    this.options = options
    this.server = createServer((request, response) => void this.answer(request, response))
  }

  listen(): Promise<number> {
    const { port, host } = this.options
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(port, host, () => resolve((this.server.address() as AddressInfo).port))
    })
  }

  close(): void {
    this.server.close()
    this.server.closeAllConnections()
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { faults } = this.options
    const name = decodeURIComponent(
      (request.url ?? '/')
        .split('?')[0]!
        .slice(1)
        .replace(/^faults\/?/, ''),
    )
    try {
      if (!this.allowed(request))
        return send(response, 401, {
          error: { code: 'UNAUTHORIZED', message: 'send the token as Authorization: Bearer' },
        })
      const body = await bodyOf(request)
      if (request.method === 'POST' && name !== '') faults.inject(name, parsed(body))
      else if (request.method === 'DELETE') name === '' ? faults.healAll() : faults.heal(name)
      else if (request.method !== 'GET' || name !== '')
        return send(response, 404, {
          error: { code: 'NOT_FOUND', message: 'GET /, POST /NAME, DELETE /NAME, DELETE /' },
        })
      send(response, 200, { server: faults.phase, faults: faults.list() })
    } catch (error) {
      if (!(error instanceof FaultError)) throw error
      send(response, error.code === 'UNKNOWN_FAULT' ? 404 : 409, {
        error: { code: error.code, message: error.message },
      })
    }
  }

  private allowed({ headers }: IncomingMessage): boolean {
    const { token } = this.options
    // a page in a browser cannot send this without asking first
    if (headers.origin !== undefined) return false
    if (!token) return true
    const given = Buffer.from(/^Bearer (.*)$/i.exec(headers.authorization ?? '')?.[1] ?? '')
    const wanted = Buffer.from(token)
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, undefined, 2)}\n`)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MOST_BYTES) throw new FaultError('BAD_PARAMETER', 'the body is too long')
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  if (body.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(body)
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // told below
  }
  throw new FaultError('BAD_PARAMETER', 'parameters must be a JSON object')
}
