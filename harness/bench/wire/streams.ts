/** Opens streams that never end and reads them as cheaply as Node can, for `measure.ts`: ports and how many of them as arguments. */
import { connect } from 'node:net'

const [ports = '', count = '0'] = process.argv.slice(2)
const all = ports.split(',').map(Number)
const body = JSON.stringify({ prompt: 'Tell me of the sea.', max_tokens: 8000, ignore_eos: true, stream: true })
const request = `POST /v1/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`

let bytes = 0
let closed = 0
for (let i = 0; i < Number(count); i++) {
  const socket = connect({
    port: all[i % all.length]!,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.allocUnsafe(16_384),
      callback: (length) => {
        bytes += length
        return true
      },
    },
  })
  socket.on('error', () => undefined)
  socket.on('close', () => closed++)
  socket.write(request)
  // a burst of connections would overflow the listening queue
  if (i % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5))
}
process.on('message', () => process.send!({ bytes, closed }))
process.on('disconnect', () => process.exit())
process.send!({ bytes, closed })
