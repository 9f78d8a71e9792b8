import { describe, expect, it } from 'vitest'
import { seconds } from '../../sandbox/world/time.ts'
import { compareReads } from './compare.ts'
import { explain } from './explain.ts'
import { readOf } from './testing/reads.ts'

const differencesOf = (...[a, b]: Parameters<typeof compareReads>) =>
  compareReads(a, b).differences.map(({ sort, what, times, phase, intoUs, offsetUs }) =>
    [
      sort,
      what,
      ...(times > 1 ? [`×${times}`] : []),
      `${phase}+${intoUs / 1e6}`,
      ...(offsetUs ? [offsetUs / 1e6] : []),
    ].join(' '),
  )

describe('compared', () => {
  it('a trial is like itself', () => {
    const read = readOf({
      decisions: [
        [1, 'x'],
        [2, 'y'],
        [2, 'x'],
      ],
    })
    const { streams, differences } = compareReads(read, read)
    expect(differences).toEqual([])
    expect(streams).toEqual([
      { stream: 's', both: 3, onlyA: 0, onlyB: 0, late: 0, afterEnd: 0, offsets: { medianUs: 0, p95Us: 0, maxUs: 0 } },
    ])
  })

  it('from the begin of the phase, which may have begun later', () => {
    const a = readOf({ phases: { apply: 0, timeline: 100 }, decisions: [[110, 'x']] })
    const b = readOf({ phases: { apply: 0, timeline: 160 }, decisions: [[171, 'x']] })
    expect(compareReads(a, b).streams[0]!.offsets?.maxUs).toBe(seconds(1))
    expect(differencesOf(a, b)).toEqual([])
  })

  it('late is what is further apart than its period, earlier or later', () => {
    const a = readOf({
      decisions: [
        [10, 'x'],
        [50, 'y'],
        [80, 'z'],
      ],
      period: 5,
    })
    const b = readOf({
      decisions: [
        [16, 'x'],
        [43, 'y'],
        [87, 'z'],
      ],
      period: 5,
    })
    expect(differencesOf(a, b)).toEqual(['late y apply+50 -7', 'late z apply+80 7'])
    expect(compareReads(a, b).streams[0]).toMatchObject({
      both: 3,
      late: 2,
      offsets: { medianUs: seconds(-7), maxUs: seconds(7) },
    })
  })

  it('what one side has alone is counted once a decision, at its first time', () => {
    const a = readOf({
      decisions: [
        [10, 'x'],
        [20, 'x'],
        [30, 'x'],
      ],
    })
    const b = readOf({
      decisions: [
        [30, 'x'],
        [40, 'y'],
      ],
    })
    expect(differencesOf(a, b)).toEqual(['only-a x ×2 apply+10', 'only-b y apply+40'])
  })

  it('nothing is missing of a trial that had ended', () => {
    const a = readOf({
      decisions: [
        [10, 'x'],
        [57, 'y'],
        [70, 'z'],
      ],
      endedAt: 90,
      period: 5,
    })
    const b = readOf({ decisions: [[10, 'x']], endedAt: 60, period: 5 })
    expect(differencesOf(a, b)).toEqual([])
    expect(compareReads(a, b).streams[0]).toMatchObject({ both: 1, onlyA: 0, afterEnd: 2 })
    expect(differencesOf(readOf({ decisions: [[50, 'y']], endedAt: 90, period: 5 }), b)).toContain('only-a y apply+50')
  })
})

describe('explained', () => {
  const explained = (a: ReturnType<typeof readOf>, b: typeof a, otherSeeds: (typeof a)[] = []) =>
    explain(compareReads(a, b), { scenario: 's', a, otherSeeds }).map(
      ({ what, because }) => `${what}: ${because?.sort}`,
    )

  it('not, where nothing says why', () => {
    expect(explained(readOf({ decisions: [[1, 'x']] }), readOf({ decisions: [[1, 'y']] }))).toEqual([
      'x: undefined',
      'y: undefined',
    ])
  })

  it('by chance, where other seeds have it as often', () => {
    const [a, b] = [readOf({ decisions: [[1, 'x']] }), readOf({ decisions: [[1, 'y']] })]
    expect(explained(a, b, [a, a])).toEqual(['x: undefined', 'y: undefined'])
    expect(explained(a, b, [a, readOf({ decisions: [[2, 'y']] })])).toEqual(['x: chance', 'y: chance'])
    const twice = readOf({
      decisions: [
        [1, 'y'],
        [2, 'y'],
      ],
    })
    expect(
      explained(a, twice, [
        readOf({
          decisions: [
            [1, 'x'],
            [2, 'y'],
          ],
        }),
      ]),
    ).toEqual(['x: undefined', 'y: undefined'])
  })

  it('by chance, where other seeds have it at such times', () => {
    const at = (second: number) => readOf({ decisions: [[second, 'x']], period: 5 })
    expect(explained(at(10), at(30), [at(11), at(12)])).toEqual(['x: undefined'])
    expect(explained(at(10), at(30), [at(11), at(27)])).toEqual(['x: chance'])
  })

  it('as what follows from a difference of as much time', () => {
    const a = readOf({
      decisions: [
        [10, 'x'],
        [20, 'y'],
        [30, 'z'],
      ],
      period: 5,
    })
    const b = readOf({
      decisions: [
        [30, 'x'],
        [42, 'y'],
        [70, 'z'],
      ],
      period: 5,
    })
    expect(explained(a, b)).toEqual(['x: undefined', 'y: follows', 'z: undefined'])
  })

  it('as what repeats until something ends it, where that comes later', () => {
    const until = (end: number, more: readonly (readonly [number, string])[]) =>
      readOf({ decisions: [[10, 'again'], [15, 'again'], [20, 'again'], ...more, [end, 'end']], period: 5 })
    const longer = until(26, [[25, 'again']])
    expect(explained(until(22, []), longer)).toEqual(['again: follows'])
    expect(explained(until(26, []), longer)).toEqual(['again: undefined'])
  })
})
