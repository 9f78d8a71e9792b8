import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { minutes, seconds } from '../../world/time.ts'
import { matcher } from './matcher.ts'
import { RoundWriter } from './staleness.ts'
import { Tsdb } from './tsdb.ts'

const names = (tsdb: Tsdb, ...matchers: Parameters<typeof matcher>[]) =>
  tsdb.select(matchers.map((args) => matcher(...args))).map(({ labels }) => labels.get('pod'))

describe('a store of time series', () => {
  it('gives one reference for one set of labels, whatever their order, and forgets empty labels', () => {
    const tsdb = new Tsdb()
    const ref = tsdb.series({ b: '1', a: '2', c: '' })
    expect(tsdb.series({ a: '2', b: '1' })).toBe(ref)
    expect(tsdb.labels(ref).pairs).toEqual(['a', '2', 'b', '1'])
  })

  it('takes samples in the order of time, in whole milliseconds', () => {
    const tsdb = new Tsdb({ epochMs: 1000 })
    const ref = tsdb.series({ __name__: 'up' })
    expect(tsdb.append(ref, 1_999, 5)).toBe(true)
    expect(tsdb.append(ref, 1_500, 5)).toBe(true) // the same millisecond and value
    expect(tsdb.append(ref, 1_500, 6)).toBe(false)
    expect(tsdb.append(ref, 900, 5)).toBe(false)
    const [series] = tsdb.select([matcher('__name__', '=', 'up')])
    expect([series!.end, series!.timeMs(0), series!.value(0)]).toEqual([1, 1001, 5])
  })

  it('tells a marker of staleness from a NaN that was scraped', () => {
    const tsdb = new Tsdb()
    const ref = tsdb.series({ __name__: 'x' })
    for (let i = 0; i < 100; i++) {
      if (i % 3 === 0) tsdb.markStale(ref, seconds(i))
      else tsdb.append(ref, seconds(i), Number.NaN)
    }
    const [series] = tsdb.select([matcher('__name__', '=', 'x')])
    expect(Array.from({ length: 100 }, (_, i) => series!.isStale(i))).toEqual(
      Array.from({ length: 100 }, (_, i) => i % 3 === 0),
    )
  })

  it('selects by all kinds of matchers, in the order of creation; no label is the empty one', () => {
    const tsdb = new Tsdb()
    for (const [pod, job] of [
      ['a-1', 'api'],
      ['b-1', 'api'],
      ['a-2', 'web'],
      ['c', ''],
    ] as const)
      tsdb.series({ __name__: 'up', pod, job })
    expect(names(tsdb, ['job', '=', 'api'])).toEqual(['a-1', 'b-1'])
    expect(names(tsdb, ['job', '!=', 'api'])).toEqual(['a-2', 'c'])
    expect(names(tsdb, ['job', '=', ''])).toEqual(['c'])
    expect(names(tsdb, ['pod', '=~', 'a-.*'])).toEqual(['a-1', 'a-2'])
    expect(names(tsdb, ['pod', '=~', 'a'])).toEqual([]) // anchored
    expect(names(tsdb, ['pod', '!~', 'a-.*|c'], ['__name__', '=', 'up'])).toEqual(['b-1'])
    expect(names(tsdb, ['job', '=~', 'web|']), 'also without the label').toEqual(['a-2', 'c'])
  })

  it('finds the first sample after a time as a linear search does', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000)), fc.nat(1100), (times, at) => {
        const tsdb = new Tsdb({ epochMs: 0 })
        const ref = tsdb.series({ __name__: 'x' })
        const sorted = times.sort((a, b) => a - b)
        for (const time of sorted) tsdb.appendMs(ref, time, time)
        const series = tsdb.select([matcher('__name__', '=', 'x')])[0]!
        expect(series.indexAfter(at)).toBe(sorted.filter((time) => time <= at).length)
      }),
    )
  })

  it('drops what is older than its retention, and forgets series that ended before; a reference brings them back', () => {
    const tsdb = new Tsdb({ retention: minutes(5) })
    const [gone, kept] = [tsdb.series({ pod: 'gone' }), tsdb.series({ pod: 'kept' })]
    tsdb.append(gone, 0, 1)
    for (let t = 0; t <= 3600; t += 1) tsdb.append(kept, seconds(t), t)
    expect(names(tsdb, ['pod', '!=', ''])).toEqual(['kept'])
    const [series] = tsdb.select([matcher('pod', '=', 'kept')])
    expect(series!.end - series!.start).toBeLessThan(1024)
    expect(series!.indexAfter(tsdb.toMs(minutes(55)) - 1)).toBeGreaterThanOrEqual(series!.start)
    expect(series!.end - series!.indexAfter(tsdb.toMs(minutes(55)) - 1)).toBe(301)
    const { version } = tsdb
    tsdb.append(gone, minutes(61), 2)
    expect(names(tsdb, ['pod', '!=', ''])).toEqual(['gone', 'kept'])
    expect(tsdb.version).not.toBe(version)
  })
})

describe('rounds of an origin', () => {
  const stale = (tsdb: Tsdb, pod: string) => {
    const series = tsdb.select([matcher('pod', '=', pod)])[0]!
    return series.end > 0 && series.isStale(series.end - 1)
  }

  it('mark what a round no longer has, and all when the origin is gone', () => {
    const tsdb = new Tsdb()
    const writer = new RoundWriter(tsdb)
    const refs = ['a', 'b', 'c'].map((pod) => tsdb.series({ pod }))
    const round = (at: number, wanted: readonly number[]) => {
      for (const i of wanted) writer.append(refs[i]!, at, 1)
      writer.finish(at)
    }
    const states = () => ['a', 'b', 'c'].map((pod) => stale(tsdb, pod))
    round(seconds(1), [0, 1, 2])
    round(seconds(2), [0, 1, 2])
    expect(states()).toEqual([false, false, false])
    round(seconds(3), [2, 0])
    expect(states()).toEqual([false, true, false])
    round(seconds(4), [1, 2])
    expect(states()).toEqual([true, false, false])
    writer.gone(seconds(5))
    expect(states()).toEqual([true, true, true])
    writer.gone(seconds(6))
    round(seconds(7), [0])
    expect(states()).toEqual([false, true, true])
  })
})
