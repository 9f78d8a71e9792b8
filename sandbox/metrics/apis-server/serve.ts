import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Rest } from '../../kube/remote/rest.ts'
import { clientName, listenOnLoopback } from '../../tiers/control-plane/loopback-server.ts'
import { FRONT_PROXY_CLIENT, type Pki } from '../../tiers/control-plane/pki.ts'
import { EPOCH_MS } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { MetricsApis } from '../adapter/metrics-client.ts'
import type { ApiContext } from './context.ts'
import { GROUPS } from './discovery.ts'
import { register, SERVER_NAME } from './register.ts'
import { answer, ServerDown } from './router.ts'
import { StatusError, statusOf } from './status.ts'

export interface MetricsApisOptions {
  /** On a clock that runs with the wall's. */
  readonly world: World
  /** What answers. Groups that nobody serves when this begins are not registered. */
  readonly apis: MetricsApis
  /** A client that may register APIServices. */
  readonly rest: Rest
  readonly pki: Pick<Pki, 'ca' | 'frontProxyCa' | 'serving'>
  /** The world's time 0 as Unix milliseconds. Default: 2026-01-01T00:00:00Z, as of a `WallClock`. */
  readonly zeroMs?: number
}

/** APIs that are being served. */
export interface ServedMetricsApis {
  /** Of 127.0.0.1. */
  readonly port: number
  /** Takes them away again. */
  close(): Promise<void>
}

/**
 * Serves the metrics APIs of a platform to a real API server: HTTPS on loopback behind its aggregator, who alone may ask. Returns once
 * all are Available; fails with a `RegistrationError`, or with the `ApiError` of a request.
 */
export async function serveMetricsApis(options: MetricsApisOptions): Promise<ServedMetricsApis> {
  const { world, apis, rest, pki, zeroMs = EPOCH_MS } = options
  const context: ApiContext = { world, apis, zeroMs }
  const identity = await pki.serving([SERVER_NAME, '127.0.0.1'])
  const server = await listenOnLoopback({ ...identity, clientCa: pki.frontProxyCa }, (made) =>
    made.on('request', (request, response) => respond(request, response, context)),
  )
  const { port } = server
  const groups = GROUPS.filter((group) => apis.servedBy(group) !== undefined)
  let unregister: () => Promise<void>
  try {
    unregister = await register({ world, rest, groups, port, ca: pki.ca })
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    port,
    async close() {
      await unregister()
      await server.close()
    },
  }
}

/** Each request is an actor of the world. */
function respond(request: IncomingMessage, response: ServerResponse, context: ApiContext): void {
  const actor = context.world.spawn('metrics-apis', handle(request, response, context))
  response.on('close', () => actor.stop())
}

function* handle(request: IncomingMessage, response: ServerResponse, context: ApiContext) {
  try {
    if (clientName(request) !== FRONT_PROXY_CLIENT)
      throw new StatusError(403, 'Forbidden', 'only the aggregator of the API server may ask')
    if (request.method !== 'GET')
      throw new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
    send(response, 200, yield* answer(request.url ?? '/', context))
  } catch (error) {
    // the aggregator tells of it as of any server that it cannot reach
    if (error instanceof ServerDown) return void request.socket.destroy()
    const status = statusOf(error)
    send(response, status.code, status)
  }
}

function send(response: ServerResponse, code: number, body: unknown): void {
  if (response.destroyed) return
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
