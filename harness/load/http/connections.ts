import { connect, type Socket } from 'node:net'
import type { Clock, Timer } from '../../../sandbox/world/clock.ts'
import { seconds } from '../../../sandbox/world/time.ts'
import { headOf } from './head.ts'
import { ResponseReader, type ResponseSink } from './response-reader.ts'
import type { SendTarget } from './sender.ts'
import { type Exchange, failureOf, type Transport } from './transport.ts'

export interface ConnectionsOptions {
  readonly clock: Clock
  readonly target: SendTarget
  readonly maxOpen: number
  readonly keepAlive: boolean
}

/** Idle connections are kept for less long than uvicorn keeps them (5 s), so that few are closed as they are taken. */
const IDLE = seconds(4)
const READ_BYTES = 1 << 16

interface Waiting {
  readonly body: string
  readonly exchange: Exchange
  /** What it was given, once it was. */
  connection: Connection | undefined
  gone: boolean
}

/**
 * HTTP/1.1 on sockets of its own, read without streams in between: a token costs half of what it does with node:http. A connection that
 * has been kept and turns out to be closed before a byte of the answer has come is replaced by a new one, once.
 */
export class Connections implements Transport {
  opened = 0
  private readonly options: ConnectionsOptions
  private readonly head: string
  private readonly idle: Connection[] = []
  private readonly all = new Set<Connection>()
  private readonly waiting: Waiting[] = []
  /** All sockets read into it: what has come is taken before another one reads. */
  private readonly buffer = Buffer.allocUnsafe(READ_BYTES)
  private sweeping: Timer | undefined

  constructor(options: ConnectionsOptions) {
    this.options = options
    this.head = headOf(options.target, options.keepAlive)
  }

  send(body: string, exchange: Exchange): () => void {
    const waiting: Waiting = { body, exchange, connection: undefined, gone: false }
    this.give(waiting)
    return () => {
      waiting.gone = true
      waiting.connection?.hangUp(waiting.exchange)
    }
  }

  close(): void {
    this.sweeping?.cancel()
    for (const connection of [...this.all]) connection.destroy()
  }

  /** To a connection that is idle, or to a new one, or to none yet. */
  private give(waiting: Waiting): void {
    const kept = this.idle.pop()
    if (kept) {
      this.take(kept, waiting, true)
      return
    }
    if (this.all.size >= this.options.maxOpen) {
      this.waiting.push(waiting)
      return
    }
    this.take(this.open(), waiting, false)
  }

  private take(connection: Connection, waiting: Waiting, kept: boolean): void {
    waiting.connection = connection
    const { body, exchange } = waiting
    exchange.sent()
    connection.send(`${this.head}${Buffer.byteLength(body)}\r\n\r\n${body}`, exchange, () => {
      if (!kept || waiting.gone) return false
      this.give(waiting)
      return true
    })
  }

  private open(): Connection {
    const connection = new Connection(this.options.target.url, this.buffer, {
      free: () => this.free(connection),
      gone: () => this.gone(connection),
    })
    this.all.add(connection)
    this.opened++
    return connection
  }

  private free(connection: Connection): void {
    if (!this.options.keepAlive) {
      connection.destroy()
      return
    }
    const next = this.next()
    if (next) {
      this.take(connection, next, true)
      return
    }
    connection.idleUntil = this.options.clock.now + IDLE
    this.idle.push(connection)
    this.sweeping ??= this.options.clock.after(IDLE, this.sweep)
  }

  private gone(connection: Connection): void {
    if (!this.all.delete(connection)) return
    const at = this.idle.indexOf(connection)
    if (at >= 0) this.idle.splice(at, 1)
    const next = this.next()
    if (next) this.give(next)
  }

  /** The first that waits and has not gone. */
  private next(): Waiting | undefined {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) if (!next.gone) return next
    return undefined
  }

  private readonly sweep = (): void => {
    const { now } = this.options.clock
    for (const connection of [...this.idle]) if (connection.idleUntil <= now) connection.destroy()
    const first = this.idle[0]
    this.sweeping = first && this.options.clock.at(Math.max(first.idleUntil, now + 1000), this.sweep)
  }
}

interface Owner {
  /** Its answer is whole and it may carry another request. */
  free(): void
  gone(): void
}

/** One socket, and the exchange on it. */
class Connection implements ResponseSink {
  idleUntil = 0
  private readonly socket: Socket
  private readonly reader = new ResponseReader()
  private readonly owner: Owner
  private exchange: Exchange | undefined
  private again: (() => boolean) | undefined
  private connected = false
  private heard = false

  constructor(url: URL, buffer: Buffer, owner: Owner) {
    this.owner = owner
    this.socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 80),
      noDelay: true,
      onread: {
        buffer,
        callback: (bytes) => {
          this.read(buffer.toString('latin1', 0, bytes))
          return true
        },
      },
    })
    this.socket
      .on('connect', () => {
        this.connected = true
      })
      .on('error', (error) => this.broken(error))
      .on('end', () => {
        if (this.reader.closed()) this.destroy()
        else this.broken(new Error('closed by the server'))
      })
      .on('close', () => {
        this.broken(new Error('closed by the server'))
        owner.gone()
      })
  }

  /** `again`: tries another way where the connection was closed before a byte came; false where there is none. */
  send(bytes: string, exchange: Exchange, again: () => boolean): void {
    this.exchange = exchange
    this.again = again
    this.heard = false
    this.reader.begin(this)
    this.socket.write(bytes)
  }

  hangUp(exchange: Exchange): void {
    if (this.exchange !== exchange) return
    this.exchange = undefined
    this.destroy()
  }

  destroy(): void {
    this.socket.destroy()
    this.owner.gone()
  }

  head(status: number, headers: ReadonlyMap<string, string>): void {
    this.exchange?.head(status, headers)
  }

  body(text: string): void {
    this.exchange?.body(text)
  }

  end(reusable: boolean): void {
    const { exchange } = this
    this.exchange = undefined
    exchange?.end()
    if (reusable && exchange) this.owner.free()
    else this.destroy()
  }

  private read(text: string): void {
    this.heard = true
    try {
      this.reader.push(text)
    } catch (error) {
      this.broken(error as Error)
    }
  }

  private broken(error: Error): void {
    const { exchange, again } = this
    this.exchange = undefined
    this.destroy()
    if (!exchange) return
    if (!this.heard && this.connected && again?.()) return
    exchange.failed(failureOf(error, this.connected))
  }
}
