import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../world/clock.ts'
import { readJournal, writeJournal } from './file.ts'
import { Journal } from './journal.ts'
import { Lines } from './lines.ts'
import { diff, equal, merge, withoutNulls } from './merge-patch.ts'
import { canonical } from './record.ts'

const header = { schemaVersion: 1, seatrial: '0', seed: 1, scenario: 's', tier: 'sim', inputs: {} } as const

const json = fc.jsonValue({ maxDepth: 4 }).map(withoutNulls)
const key = fc.constantFrom('a', 'b', 'toString')

test('a patch from one value to another makes the other, through JSON too', () => {
  fc.assert(
    fc.property(fc.dictionary(key, json), fc.dictionary(key, json), (a, b) => {
      const [before, after] = [withoutNulls(a), withoutNulls(b)]
      const patch = diff(before, after)
      const sent = patch === undefined ? {} : JSON.parse(JSON.stringify(patch))
      expect(equal(merge(before, sent), after)).toBe(true)
      expect(patch === undefined).toBe(equal(before, after))
    }),
  )
})

test('canonical text does not depend on the order of fields, and is JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonical(value)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonical(reversed(value))).toBe(text)
      expect(canonical(Object.freeze(value))).toBe(text)
    }),
  )
})

test('lines are canonical text in UTF-8, in blocks', () => {
  const number = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.double(),
    fc.constantFrom(-0, 1e9, 999_999_999, 2 ** 31),
  )
  const scalar = fc.oneof(number, fc.string(), fc.string({ unit: 'binary' }), fc.constant(undefined))
  const value = fc.oneof(fc.dictionary(fc.string(), scalar), fc.dictionary(fc.string(), fc.jsonValue()))
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), (values) => {
      const lines = new Lines()
      for (const one of values) lines.add(one)
      expect(lines.take().toString('utf8')).toBe(
        Buffer.from(values.map((one) => `${canonical(one)}\n`).join('')).toString('utf8'),
      )
    }),
    { numRuns: 50 },
  )
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  )
}

test('a journal is read back from its file; a torn one up to the tear; a changed one is noticed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-journal-'))
  try {
    const path = join(folder, 'journal.jsonl')
    const journal = new Journal(new VirtualClock())
    for (const phase of ['apply', 'settle', 'judge']) journal.append({ type: 'phase', phase })
    expect(writeJournal(path, journal, header)).toBe(journal.hash(header))
    const text = readFileSync(path, 'utf8')
    const whole = readJournal(text)
    expect(whole).toEqual({ header, records: journal.records, hash: journal.hash(header), torn: undefined })

    const cut = readJournal(text.slice(0, text.indexOf('settle') + 3))
    expect(cut.records).toEqual(journal.records.slice(0, 1))
    expect(cut.torn).toEqual({ line: 3, why: 'the line is cut off' })

    const garbled = readJournal(text.replace('"settle"', '"settle'))
    expect(garbled.records).toHaveLength(1)
    expect(garbled.torn).toEqual({ line: 3, why: 'not a record' })

    expect(readJournal(text.replace('settle', 'SETTLE')).torn?.why).toBe('the hash is not that of the lines before it')
    expect(() => readJournal('hello')).toThrow('not a journal')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a journal of many blocks is written as it is', () => {
  const journal = new Journal(new VirtualClock())
  const text = 'x'.repeat(1000)
  for (let i = 0; i < 3000; i++) journal.append({ type: 'note', by: 'test', about: `${i}`, text })
  const { text: written, hash } = journal.sealed(header)
  expect(hash).toBe(journal.hash(header))
  expect(readJournal(written)).toMatchObject({ hash, torn: undefined })
  expect(written.split('\n').slice(0, -2)).toEqual([...journal.lines(header)])
})
