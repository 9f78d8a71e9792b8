import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, Case } from './case.ts'

const MODULE = join(import.meta.dirname, '../../../../fixtures/oracles/promql')

/** Prometheus' own engine. */
export interface RealEngine {
  /** Answers of each case, in the order of its queries. */
  answer(cases: readonly Case[]): Answer[][]
  /** Where the sources of the engine lie. */
  readonly sources: string
  close(): void
}

/** Why the real engine cannot be built here; undefined when it can. */
export function whyNoRealEngine(): string | undefined {
  try {
    go('mod', 'download')
    return undefined
  } catch (error) {
    return `Go, or the modules of fixtures/oracles/promql, cannot be had: ${(error as Error).message.split('\n')[0]}`
  }
}

export function buildRealEngine(): RealEngine {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-promql-'))
  const binary = join(folder, 'oracle')
  go('build', '-o', binary, '.')
  return {
    sources: go('list', '-m', '-f', '{{.Dir}}', 'github.com/prometheus/prometheus').trim(),
    answer(cases) {
      const input = cases.map(({ series, queries }) => JSON.stringify({ series, queries })).join('\n')
      const output = execFileSync(binary, { input, encoding: 'utf8', maxBuffer: 2 ** 30 })
      return output
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    },
    close: () => rmSync(folder, { recursive: true }),
  }
}

const go = (...args: string[]): string =>
  execFileSync('go', args, { cwd: MODULE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
