import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { SseReader } from './sse.ts'

/** The data that is told when a text comes in these pieces. */
function told(text: string, cuts: readonly number[] = []): string[] {
  const data: string[] = []
  const reader = new SseReader((one) => data.push(one))
  const places = [0, ...[...cuts].sort((a, b) => a - b), text.length]
  for (const [i, place] of places.slice(1).entries()) reader.push(text.slice(places[i], place))
  return data
}

it('tells the data of events, not comments nor other fields', () => {
  expect(told(': ping\n\nevent: x\nid: 3\ndata: {"a":1}\n\ndata:two\ndata: lines\n\ndata: unfinished')).toEqual([
    '{"a":1}',
    'two\nlines',
  ])
  expect(told('data: a\r\n\r\ndata: b\r\n\r\n')).toEqual(['a', 'b'])
})

it('says the same however the text is cut', () => {
  const event = fc
    .tuple(
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.constantFrom('data: {"x":"y"}', 'data:z', ': c', 'id: 1'), { minLength: 1 }),
    )
    .map(([end, lines]) => `${lines.map((line) => `${line}${end}`).join('')}${end}`)
  fc.assert(
    fc.property(
      fc.array(event).map((events) => events.join('')),
      fc.array(fc.nat(400)),
      (text, cuts) => {
        const within = cuts.map((cut) => Math.min(cut, text.length))
        expect(told(text, within)).toEqual(told(text))
      },
    ),
  )
})
