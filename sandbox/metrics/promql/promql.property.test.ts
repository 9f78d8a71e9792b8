import { parser as grammar } from '@prometheus-io/lezer-promql'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueryError } from '../querier.ts'
import { Tsdb } from '../tsdb/tsdb.ts'
import { atan2, log, log2 } from './elementary.ts'
import { Engine } from './engine.ts'
import { formatPlain, pow } from './numbers.ts'
import { ourAnswers } from './oracle/ours.ts'
import { damagedCases, randomCases } from './oracle/random-cases.ts'

describe('any text', () => {
  const engine = new Engine(new Tsdb())
  const word = fc.constantFrom(
    ...'sum by ( ) { } [ ] , : = =~ != + - ^ offset @ start bool on group_left 5m 1e3 0x1 "a" \'b\' a rate up # nan'.split(
      ' ',
    ),
  )

  it('is an expression or a QueryError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join(' ')),
        ),
        (text) => {
          try {
            engine.validate(text)
          } catch (error) {
            expect(error).toBeInstanceOf(QueryError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('random expressions over random series', () => {
  it('have the same answer when asked again, and errors only of known kinds', () => {
    for (const item of [...randomCases(7, 15, 20), ...damagedCases(7, 15, 20)])
      expect(ourAnswers(item)).toEqual(ourAnswers(item))
  })

  it('are expressions of the published grammar too', () => {
    for (const { queries } of randomCases(8, 20, 20))
      for (const { expr } of queries) expect(String(grammar.parse(expr)), expr).not.toContain('⚠')
  })

  it('a rate is what the counter rose by, when it rose evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 2, max: 60 }), (perStep, stepSeconds) => {
        const tsdb = new Tsdb({ epochMs: 0 })
        const ref = tsdb.series({ __name__: 'c' })
        for (let i = 0; i <= 600; i++) tsdb.appendMs(ref, i * stepSeconds * 1000, (i + 600) * perStep)
        const result = new Engine(tsdb).instantMs(`rate(c[${stepSeconds * 100}s])`, 600 * stepSeconds * 1000)
        const value = result.type === 'vector' ? result.samples[0]!.value : Number.NaN
        expect(value).toBeCloseTo(perStep / stepSeconds, 9)
      }),
    )
  })
})

describe('numbers', () => {
  it('powers agree with JavaScript’s to the last digits', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, min: 1e-9, max: 1e9 }),
        fc.double({ noNaN: true, min: -30, max: 30 }),
        (x, y) => {
          const [ours, theirs] = [pow(x, y), x ** y]
          expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(1e-13 * Math.abs(theirs))
        },
      ),
    )
    expect([pow(1, Number.NaN), pow(-1, Number.POSITIVE_INFINITY), pow(2, -1074), pow(2, 1024)]).toEqual([
      1,
      1,
      5e-324,
      Number.POSITIVE_INFINITY,
    ])
  })

  it('so do logarithms and arc tangents', () => {
    const close = (a: number, b: number) =>
      expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(b)))
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: 1e-300 }),
        fc.double({ noNaN: true }),
        (x, y) => {
          close(log(x), Math.log(x))
          close(atan2(y, x), Math.atan2(y, x))
          if (Math.abs(y / x) > 1e-300) close(atan2(y, -x), Math.atan2(y, -x)) // below, Go gives π for −π
        },
      ),
    )
  })

  it('binary logarithms of powers of two are whole', () => {
    for (let i = -1074; i < 1024; i++) expect(log2(2 ** i)).toBe(i)
  })

  it('plain text reads back, and has no exponent', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(formatPlain(value)).toMatch(/^-?\d+(\.\d+)?$/)
        expect(Object.is(Number(formatPlain(value)), value)).toBe(true)
      }),
    )
  })
})
