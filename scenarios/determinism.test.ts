import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const PROGRAM = new URL('./determinism-hashes.ts', import.meta.url).pathname

const hashes = async (from: number, to: number): Promise<string[]> =>
  (await run(process.execPath, [PROGRAM, String(from), String(to)])).stdout.trim().split('\n')

describe('the same seed', () => {
  it('gives the same journal, byte for byte, in two processes: 100 seeds, and no two seeds the same', async () => {
    const [once, again] = await Promise.all([hashes(1, 100), hashes(1, 100)])
    expect(again).toEqual(once)
    expect(new Set(once).size).toBe(100)
  }, 120_000)

  it('does not depend on what was run before in the process', async () => {
    expect(await hashes(42, 42)).toEqual((await hashes(40, 42)).slice(-1))
  }, 60_000)
})
