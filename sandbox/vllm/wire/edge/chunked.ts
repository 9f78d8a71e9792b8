import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { StreamedAnswer } from '../http.ts'

/**
 * A streamed answer whose chunks are framed here and written straight to the socket: one write for all that one step of the engine gave it.
 * node:http keeps the connection, and writes what comes while an earlier answer on it has not ended.
 */
export class ChunkedAnswer implements StreamedAnswer {
  private readonly response: ServerResponse
  private readonly order: WriteOrder
  private readonly wrote: (() => void) | undefined
  private pending = ''
  private ascii = true
  private open = true

  constructor(response: ServerResponse, order: WriteOrder, wrote?: () => void) {
    this.response = response
    this.order = order
    this.wrote = wrote
  }

  write(chunk: string | Uint8Array): void {
    if (!this.open || chunk.length === 0) return
    this.order.writing(this)
    if (!this.response.socket) {
      // a pipelined answer has no socket until those before it have ended
      this.response.write(chunk)
      return
    }
    if (typeof chunk !== 'string') {
      this.writeBytes(chunk, this.response.socket)
      return
    }
    const ascii = isAscii(chunk)
    const length = ascii ? chunk.length : Buffer.byteLength(chunk)
    this.ascii &&= ascii
    this.pending += `${length.toString(16)}\r\n${chunk}\r\n`
  }

  end(): void {
    if (!this.open) return
    const { socket } = this.response
    socket?.cork()
    this.pushOut()
    this.open = false
    this.response.end()
    socket?.uncork()
  }

  cut(): void {
    if (!this.open) return
    this.pushOut()
    this.open = false
    this.response.destroy()
  }

  congested(then: () => void): boolean {
    const { socket } = this.response
    if (!this.open || !socket?.writableNeedDrain) return false
    socket.once('drain', then)
    return true
  }

  /** The client has gone. */
  close(): void {
    this.open = false
    this.pending = ''
  }

  /** Writes what has gathered. */
  pushOut(): void {
    const { pending } = this
    const { socket } = this.response
    if (pending === '' || !this.open || !socket || socket.destroyed) return
    this.pending = ''
    socket.write(pending, this.ascii ? 'latin1' : 'utf8')
    this.ascii = true
    this.wrote?.()
  }

  private writeBytes(chunk: Uint8Array, socket: Socket): void {
    socket.cork()
    this.pushOut()
    socket.write(`${chunk.length.toString(16)}\r\n`)
    socket.write(chunk)
    socket.write('\r\n')
    socket.uncork()
  }
}

/** Lets what one step gives an answer gather: it goes out when another answer is written to, or at the end of the turn. */
export class WriteOrder {
  private last: ChunkedAnswer | undefined

  writing(answer: ChunkedAnswer): void {
    if (this.last === answer) return
    if (this.last) this.last.pushOut()
    else queueMicrotask(this.flush)
    this.last = answer
  }

  private readonly flush = (): void => {
    this.last?.pushOut()
    this.last = undefined
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range is what is asked for
const NOT_ASCII = /[^\x00-\x7f]/

const isAscii = (text: string): boolean => !NOT_ASCII.test(text)
