import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { randomStream } from '../../sandbox/world/random.ts'
import { seconds } from '../../sandbox/world/time.ts'
import { PlatformError } from '../platform/errors.ts'
import { prefixHashes } from './prefix.ts'
import { schedule } from './schedule.ts'
import { readTrace, type TraceFormat } from './trace.ts'
import { openTrace } from './trace-replay.ts'
import type { Workload } from './workload.ts'

const folder = mkdtempSync(join(tmpdir(), 'seatrial-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const AZURE = `TIMESTAMP,ContextTokens,GeneratedTokens\r
2023-11-16 18:15:46.6805900,374,44\r
2023-11-16 18:15:47.6805905,396,109\r
2023-11-16 18:15:49.0000000,879,0`

function caught(text: string, format: TraceFormat): PlatformError {
  try {
    for (const _ of readTrace(file('bad', text), format));
  } catch (error) {
    if (error instanceof PlatformError) return error
    throw error
  }
  throw new Error('it was read')
}

describe('traces', () => {
  it('Azure: times count from the first request, in microseconds; an empty answer has a token', () => {
    expect([...readTrace(file('a.csv', AZURE), 'azure-csv')]).toEqual([
      { at: 0, promptTokens: 374, outputTokens: 44, prefix: undefined },
      { at: 1_000_001, promptTokens: 396, outputTokens: 109, prefix: undefined },
      { at: 2_319_410, promptTokens: 879, outputTokens: 1, prefix: undefined },
    ])
  })

  it.each<[string, TraceFormat, string, number, number, RegExp]>([
    ['a header without a column', 'azure-csv', 'TIMESTAMP,ContextTokens\n', 1, 1, /no GeneratedTokens/],
    ['a time in words', 'azure-csv', `${AZURE}\nyesterday,1,2`, 5, 1, /not a time.*yesterday/],
    ['tokens in words', 'azure-csv', `${AZURE}\n2023-11-16 18:15:50,many,2`, 5, 21, /not a number of tokens: many/],
    ['a line too short', 'azure-csv', `${AZURE}\n2023-11-16 18:15:50,1`, 5, 23, /not a number of tokens: nothing/],
    ['a step back in time', 'azure-csv', `${AZURE}\n2023-11-16 18:15:40,1,2`, 5, 1, /comes before/],
    ['broken JSON', 'mooncake-jsonl', '{"timestamp": 0, "input_length": 1, }', 1, 37, /not JSON/],
    ['a list', 'mooncake-jsonl', '[]', 1, 1, /is an object/],
    [
      'a field missing',
      'mooncake-jsonl',
      '{"timestamp": 0, "output_length": 3}',
      1,
      1,
      /input_length must be a number/,
    ],
    [
      'hashes of words',
      'mooncake-jsonl',
      '{"timestamp": 0, "input_length": 1, "output_length": 3, "hash_ids": ["a"]}',
      1,
      57,
      /hash_ids must be/,
    ],
  ])('%s is an error with its place', (_, format, text, line, column, what) => {
    const error = caught(text, format)
    expect(error).toMatchObject({ code: 'BAD_TRACE', exitCode: 2, line, column })
    expect(error.message).toMatch(what)
  })

  it('a file that is not there says so', () => {
    expect(() => [...readTrace(join(folder, 'none.csv'), 'azure-csv')]).toThrow(/cannot be read \(ENOENT\)/)
  })

  it('are replayed faster, in part, and over and over', () => {
    const rows = Array.from({ length: 10 }, (_, i) =>
      JSON.stringify({ timestamp: i * 1000, input_length: 5 + i, output_length: 2 }),
    )
    const { use, requests } = openTrace(file('m.jsonl', rows.join('\n')), {
      format: 'mooncake-jsonl',
      fromUs: seconds(2),
      forUs: seconds(4),
      loop: true,
    })
    expect([requests, use.requestsPerSecond]).toEqual([4, 1])
    const workload: Workload = {
      arrival: 'poisson',
      requestsPerSecond: 2,
      promptTokens: { kind: 'constant', tokens: 1 },
      outputTokens: { kind: 'constant', tokens: 1 },
      timeoutUs: seconds(60),
      trace: use,
    }
    const plan = schedule(workload, seconds(100), (stream) => randomStream(1, stream))
    const planned = Array.from({ length: 6 }, () => plan.next().value!)
    expect(planned.map(({ at }) => at / 1e6)).toEqual([100, 100.5, 101, 101.5, 102, 102.5])
    expect(planned.map(({ promptTokens }) => promptTokens)).toEqual([7, 8, 9, 10, 7, 8])
  })
})

const SAMPLES = new URL('../../../shared/data/traces/', import.meta.url).pathname
const SAMPLE = {
  azure: `${SAMPLES}azure-2023-conversation.csv`,
  mooncake: `${SAMPLES}mooncake-conversation-4000.jsonl`,
}
const present = Object.values(SAMPLE).every((path) => existsSync(path))
if (!present) console.log('skipped: the samples of public traces are not in ../shared/data/traces')

describe.runIf(present)('samples of public traces', () => {
  it('Azure 2023, conversations', () => {
    const { use, requests, promptTokens, outputTokens } = openTrace(SAMPLE.azure, { format: 'azure-csv' })
    expect(requests).toBe(19_366)
    expect(use.requestsPerSecond).toBeCloseTo(5.53, 2)
    expect(promptTokens).toMatchObject({ kind: 'lognormal', meanTokens: 1155 })
    expect(outputTokens).toMatchObject({ kind: 'lognormal', meanTokens: 211 })
  })

  it('Mooncake, in which a third of the blocks was there before', () => {
    const seen = new Set<number>()
    let [hits, blocks] = [0, 0]
    for (const { prefix, promptTokens } of readTrace(SAMPLE.mooncake, 'mooncake-jsonl')) {
      const hashes = prefixHashes(prefix!, promptTokens, 512)
      blocks += hashes.length
      for (const hash of hashes) {
        if (seen.has(hash)) hits++
        seen.add(hash)
      }
    }
    expect(hits / blocks).toBeGreaterThan(0.25)
    expect(hits / blocks).toBeLessThan(0.5)
  })
})
