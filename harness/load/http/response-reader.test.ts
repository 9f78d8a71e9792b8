import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BadResponse, ResponseReader } from './response-reader.ts'

/** What is told of a response that comes in these pieces. */
function read(text: string, cuts: readonly number[] = [], closes = false) {
  const told = { status: 0, headers: {} as Record<string, string>, body: '', end: undefined as boolean | undefined }
  const reader = new ResponseReader()
  reader.begin({
    head(status, headers) {
      told.status = status
      told.headers = Object.fromEntries(headers)
    },
    body(piece) {
      told.body += piece
    },
    end(reusable) {
      told.end = reusable
    },
  })
  const places = [0, ...[...cuts].sort((a, b) => a - b), text.length]
  for (const [i, place] of places.slice(1).entries()) if (place > places[i]!) reader.push(text.slice(places[i], place))
  const whole = closes ? reader.closed() : undefined
  return { ...told, whole }
}

const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b: c\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n'
const SIZED = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\nconnection: close\r\n\r\nsorry'

describe('a response', () => {
  it('has a length, is chunked, or lasts until the connection closes', () => {
    expect(read(CHUNKED)).toMatchObject({ status: 200, body: 'hello world', end: true, headers: { 'x-a': 'b: c' } })
    expect(read(SIZED)).toMatchObject({ status: 503, body: 'sorry', end: false })
    const open = 'HTTP/1.1 200 OK\r\n\r\nall'
    expect(read(open)).toMatchObject({ body: 'all', end: undefined })
    expect(read(open, [], true)).toMatchObject({ body: 'all', end: false, whole: true })
  })

  it('may be empty, and may come after 100 Continue', () => {
    expect(read('HTTP/1.1 204 No Content\r\n\r\n')).toMatchObject({ status: 204, end: true })
    expect(read('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')).toMatchObject({ body: '', end: true })
    expect(read(`HTTP/1.1 100 Continue\r\n\r\n${SIZED}`)).toMatchObject({ status: 503, body: 'sorry' })
  })

  it('that is cut off is not whole', () => {
    expect(read(CHUNKED.slice(0, -3), [], true)).toMatchObject({ end: undefined, whole: false })
    expect(read(SIZED.slice(0, -1), [], true).whole).toBe(false)
  })

  it.each(['SSH-2.0-x\r\n\r\n', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n', `${SIZED}more`])(
    '%j breaks the rules',
    (text) => expect(() => read(text)).toThrow(BadResponse),
  )

  it('reads the same however it is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(CHUNKED, SIZED), fc.array(fc.nat(160)), (text, cuts) => {
        const within = cuts.map((cut) => Math.min(cut, text.length))
        expect(read(text, within)).toEqual(read(text))
      }),
    )
  })
})
