import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, fromRfc3339, minutes, ms, parseDuration, seconds, toRfc3339 } from './time.ts'

describe('time', () => {
  it.each([
    ['90s', seconds(90)],
    ['1m30s', seconds(90)],
    ['500ms', ms(500)],
    ['2h', minutes(120)],
    ['1.5s', ms(1500)],
  ])('parses %s', (text, expected) => expect(parseDuration(text)).toBe(expected))

  it.each(['', '5', 's', '5 s', '5d', '-5s', '5s!'])('refuses «%s»', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError)
  })

  it('formats for people', () => {
    expect([seconds(4), seconds(124), seconds(3905), ms(540), -seconds(5)].map(formatDuration)).toEqual([
      '4s',
      '2m04s',
      '1h05m05s',
      '540ms',
      '-5s',
    ])
  })

  it('writes whole seconds, as metav1.Time does, and reads them back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e13 }), (t) => {
        expect(fromRfc3339(toRfc3339(t))).toBe(Math.floor(t / 1e6) * 1e6)
      }),
    )
  })
})
