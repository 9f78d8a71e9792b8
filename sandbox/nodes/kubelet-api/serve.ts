import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { clientName, listenOnLoopback } from '../../tiers/control-plane/loopback-server.ts'
import { KUBELET_ADDRESS_TYPE, KUBELET_CLIENT, type Pki } from '../../tiers/control-plane/pki.ts'
import type { Task } from '../../world/actor.ts'
import { EPOCH_MS, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { HostedPod } from '../hosted-pod.ts'
import type { RunningNode } from '../node.ts'
import type { KubeletAddress } from '../node-object.ts'
import { containerLogs } from './container-logs.ts'
import { execute } from './exec/execute.ts'
import { PROTOCOLS, sendOutcome, type Wanted, wantedIn } from './exec-streams.ts'
import { logOptionsIn } from './log-options.ts'
import { type Asked, askedFor, specOf } from './request.ts'

export interface KubeletsOptions {
  /** On a clock that runs with the wall's. */
  readonly world: World
  readonly pki: Pick<Pki, 'ca' | 'serving'>
  /** The nodes there are now. */
  nodes(): Iterable<RunningNode>
  /** The world's time 0 as Unix milliseconds. Default: 2026-01-01T00:00:00Z, as of a `WallClock`. */
  readonly zeroMs?: number
}

/** The APIs of simulated kubelets. */
export interface ServedKubelets {
  /** For `kubeletApi` of every node that is started. */
  readonly address: KubeletAddress
  close(): Promise<void>
}

/**
 * Answers the API server in the place of all simulated kubelets, by HTTPS on one port of loopback: logs, and commands of a small set.
 * What is not simulated (attach, port-forward, shells) is refused with why. The API server alone may ask.
 */
// follows pkg/kubelet/server/server.go
export async function serveKubelets(options: KubeletsOptions): Promise<ServedKubelets> {
  const kubelets = new Kubelets(options)
  const identity = await options.pki.serving(['localhost', '127.0.0.1'])
  const server = await listenOnLoopback({ ...identity, clientCa: options.pki.ca }, (made) => {
    made.on('request', (request, response) => kubelets.request(request, response))
    made.on('upgrade', (request, socket, head) => kubelets.upgrade(request, socket, head))
  })
  return {
    address: { type: KUBELET_ADDRESS_TYPE, address: 'localhost', port: server.port },
    close() {
      kubelets.close()
      return server.close()
    },
  }
}

const REFUSED: Readonly<Record<string, string>> = {
  attach: 'attaching to a simulated container is not possible: its output is read with `kubectl logs -f`',
  portForward:
    'no bytes can be forwarded to a simulated pod. Ask it from inside: `kubectl exec POD -- curl -s localhost:8000/metrics`',
}

const BY_WEBSOCKET = 'commands in simulated containers come by WebSocket: use kubectl 1.31 or newer'

class Kubelets {
  private readonly options: KubeletsOptions
  private readonly zeroMs: number
  private readonly sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
  })

  constructor(options: KubeletsOptions) {
    this.options = options
    this.zeroMs = options.zeroMs ?? EPOCH_MS
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    try {
      const asked = this.asked(request)
      if (asked.what === 'healthz') response.end('ok')
      else if (asked.what === 'containerLogs') this.logs(asked, response)
      else throw new Refused(400, REFUSED[asked.what] ?? BY_WEBSOCKET)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      response.writeHead(error.status, { 'content-type': 'text/plain' }).end(error.message)
    }
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    try {
      const asked = this.asked(request)
      if (asked.what !== 'exec') throw new Refused(400, REFUSED[asked.what] ?? 'nothing here is upgraded')
      const wanted = wantedIn(asked.query)
      if (!wanted) throw new Refused(400, 'you must specify at least 1 of stdin, stdout, stderr')
      const found = this.find(asked, 'pod does not exist')
      if (!found.hosted.runtime.running(asked.container))
        throw new Refused(500, `container not found ("${asked.container}")`)
      if (!/websocket/i.test(request.headers.upgrade ?? '')) throw new Refused(400, BY_WEBSOCKET)
      this.sockets.handleUpgrade(request, socket, head, (opened) => this.exec(asked, found, opened, wanted))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      refuseUpgrade(socket, error)
    }
  }

  close(): void {
    for (const socket of this.sockets.clients) socket.terminate()
  }

  private asked(request: IncomingMessage): Asked {
    if (clientName(request) !== KUBELET_CLIENT) throw new Refused(403, 'Forbidden: only the API server may ask')
    const asked = askedFor(request.url ?? '/')
    if (!asked) throw new Refused(404, '404 page not found')
    return asked
  }

  private logs(asked: Asked, response: ServerResponse): void {
    const { world } = this.options
    const options = logOptionsIn(asked.query, world.clock.now, (unix) => unix - this.zeroMs * 1e3)
    if (!options) throw new Refused(422, '{"message": "Invalid request."}')
    const { node, hosted } = this.find(asked, `pod "${asked.name}" does not exist`)
    if (!specOf(hosted.pod, asked.container))
      throw new Refused(404, `container "${asked.container}" not found in pod "${asked.name}"`)
    const task = containerLogs({
      ...{ container: asked.container, options, response },
      hosted: () => node.hosted(asked.key),
      unixUs: (at) => at + this.zeroMs * 1e3,
    })
    const actor = world.spawn(`kubelet/${node.name}/logs`, task)
    response.on('close', () => actor.stop())
  }

  private exec(asked: Asked, { node, hosted }: Found, socket: WebSocket, wanted: Wanted): void {
    const { world } = this.options
    const container = specOf(hosted.pod, asked.container)!
    const command = execute(asked.query.getAll('command'), {
      ...{ hosted, container, node: node.spec },
      now: () => world.clock.now,
      unixMs: (at: Us) => this.zeroMs + at / 1e3,
    })
    const task = (function* (): Task {
      sendOutcome(socket, wanted, yield* command)
    })()
    const actor = world.spawn(`kubelet/${node.name}/exec`, task)
    socket.on('close', () => actor.stop())
  }

  private find({ key }: Asked, otherwise: string): Found {
    for (const node of this.options.nodes()) {
      const hosted = node.hosted(key)
      if (hosted) return { node, hosted }
    }
    throw new Refused(404, otherwise)
  }
}

interface Found {
  readonly node: RunningNode
  readonly hosted: HostedPod
}

/** What a kubelet answers with instead. */
class Refused extends Error {
  readonly status: number

  constructor(status: number, why: string) {
    super(why)
    this.status = status
  }
}

function refuseUpgrade(socket: Duplex, { status, message }: Refused): void {
  const head = [`HTTP/1.1 ${status} `, 'Content-Type: text/plain', `Content-Length: ${Buffer.byteLength(message)}`]
  socket.end(`${head.join('\r\n')}\r\nConnection: close\r\n\r\n${message}`)
}
