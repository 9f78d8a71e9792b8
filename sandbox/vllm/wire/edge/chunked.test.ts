import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { ChunkedAnswer, WriteOrder } from './chunked.ts'

it('frames text and bytes, in the order in which they were written', async () => {
  const zipped = gzipSync('what is zipped')
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' })
    response.flushHeaders()
    const answer = new ChunkedAnswer(response, new WriteOrder())
    answer.write('é before ')
    answer.write(zipped)
    answer.write('')
    answer.write(' after')
    answer.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const body = Buffer.from(await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer())
  server.close()
  expect(body).toEqual(Buffer.concat([Buffer.from('é before '), zipped, Buffer.from(' after')]))
})
