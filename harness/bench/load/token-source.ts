import { createServer, type Socket } from 'node:net'

/**
 * A server that costs little: every request gets its `max_tokens` tokens, one each step of 25 ms, all streams in step; one token at once.
 * Chunks are as long as vLLM's. Prints its port. A process of its own, so that its cost is not the sender's.
 */
const STEP_MS = 25
const CHUNK = framed(
  `data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1795252401,"model":"m","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n`,
)
const LAST = framed(
  `data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1795252401,"model":"m","choices":[{"index":0,"delta":{"content":" end"},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}]}\n\ndata: [DONE]\n\n`,
)
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n'

function framed(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

const streams = new Map<Socket, number>()

const server = createServer({ noDelay: true }, (socket) => {
  let text = ''
  socket.on('error', () => streams.delete(socket)).on('close', () => streams.delete(socket))
  socket.on('data', (piece) => {
    text += piece.toString('latin1')
    const head = text.indexOf('\r\n\r\n')
    const length = /content-length: (\d+)/.exec(text)?.[1]
    if (head < 0 || length === undefined || text.length < head + 4 + Number(length)) return
    const tokens = Number(/"max_tokens":(\d+)/.exec(text)?.[1] ?? 1)
    text = ''
    if (tokens > 1) {
      socket.write(`${HEAD}${CHUNK}`, 'latin1')
      streams.set(socket, tokens - 1)
    } else socket.write(`${HEAD}${LAST}0\r\n\r\n`, 'latin1')
  })
})

setInterval(() => {
  for (const [socket, left] of streams) {
    if (left > 1) {
      socket.write(CHUNK, 'latin1')
      streams.set(socket, left - 1)
    } else {
      socket.write(`${LAST}0\r\n\r\n`, 'latin1')
      streams.delete(socket)
    }
  }
}, STEP_MS)

server.listen(0, '127.0.0.1', () => console.log((server.address() as { port: number }).port))
