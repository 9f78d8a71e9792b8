import { Agent, type IncomingMessage, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { headersOf } from './head.ts'
import type { SendTarget } from './sender.ts'
import { type Exchange, failureOf, type Transport } from './transport.ts'

/** Over node:http(s): for TLS, and for the proxies of the environment where NODE_USE_ENV_PROXY is set. Twice the cost a token. */
export class AgentTransport implements Transport {
  opened = 0
  private readonly target: SendTarget
  private readonly agent: Agent
  private readonly headers: Readonly<Record<string, string>>

  constructor(target: SendTarget, { maxOpen, keepAlive }: { maxOpen: number; keepAlive: boolean }) {
    this.target = target
    this.headers = headersOf(target)
    const Kind = target.url.protocol === 'https:' ? TlsAgent : Agent
    this.agent = new Kind({
      keepAlive,
      maxSockets: maxOpen,
      maxTotalSockets: maxOpen,
      scheduling: 'lifo',
      timeout: 0,
      ...(usesProxy() ? { proxyEnv: process.env } : {}),
    })
  }

  send(body: string, exchange: Exchange): () => void {
    const { url } = this.target
    let over = false
    let connected = false
    const failed = (error: NodeJS.ErrnoException) => {
      if (over) return
      over = true
      exchange.failed(failureOf(error, connected))
    }
    const asked = (url.protocol === 'https:' ? tlsRequest : request)(url, {
      method: 'POST',
      agent: this.agent,
      headers: { ...this.headers, 'content-length': Buffer.byteLength(body) },
    })
    asked.on('socket', (socket) => {
      exchange.sent()
      connected = !socket.connecting
      if (socket.connecting) {
        this.opened++
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
          connected = true
        })
      }
    })
    asked.on('response', (response) => {
      exchange.head(response.statusCode ?? 0, headersIn(response))
      response.setEncoding('latin1')
      response.on('data', (text: string) => {
        if (!over) exchange.body(text)
      })
      response.on('end', () => {
        if (over) return
        over = true
        exchange.end()
      })
      response.on('close', () => failed(new Error('closed by the server')))
    })
    asked.on('error', failed)
    asked.setNoDelay(true)
    asked.end(body)
    return () => {
      over = true
      asked.destroy()
    }
  }

  close(): void {
    this.agent.destroy()
  }
}

/** Whether the proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY are taken, as Node's own setting says. */
export const usesProxy = (): boolean => process.env['NODE_USE_ENV_PROXY'] === '1'

function headersIn({ headers }: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]))
}
