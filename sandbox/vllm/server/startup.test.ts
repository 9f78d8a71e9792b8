import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { seconds } from '../../world/time.ts'
import type { RunnableServer } from './resolve.ts'
import { startupPlan } from './startup.ts'
import { resolveLine, run } from './test-kit.ts'

const LOG = '../shared/data/vllm-golden/startup-cold.log'

const planOf = (line: string, options = {}) => {
  const resolved = resolveLine(line) as RunnableServer
  return startupPlan({ ...resolved, version: resolved.version.version }, options)
}

test('phases come in order; eager mode has no compilation and no graphs', () => {
  const names = (line: string, options = {}) => planOf(line, options).map((phase) => phase.name)
  const all = ['imports', 'engine', 'distributed', 'fetch', 'weights', 'compile', 'profile', 'cudagraphs', 'api']
  expect(names('meta-llama/Llama-3.1-8B-Instruct', { fetchBandwidthBytesPerSecond: 1e8 })).toEqual(all)
  expect(names('meta-llama/Llama-3.1-8B-Instruct --enforce-eager')).toEqual(
    all.filter((name) => !['fetch', 'compile', 'cudagraphs'].includes(name)),
  )
})

test('weights take their bytes over the bandwidth; a given total is met to the microsecond', () => {
  const weights = planOf('meta-llama/Llama-3.1-8B-Instruct', { loadBandwidthBytesPerSecond: 1e9 }).find(
    (phase) => phase.name === 'weights',
  )
  expect(weights?.durationUs).toBe(seconds(1 + 16.060522496))
  const total = planOf('meta-llama/Llama-3.1-8B-Instruct', { totalLoadUs: 123_456_789 }).reduce(
    (sum, phase) => sum + phase.durationUs,
    0,
  )
  expect(total).toBe(123_456_789)
})

/** Without process, time and line, and without figures: what is left must come in the recorded order. */
const shape = (line: string) =>
  line
    .replace(/^\r/, '')
    .replace(/^\(\w+ pid=\d+\) (?:\w+ [\d-]+ [\d:]+ \[[\w.]+:\d+\] ?)?/, '')
    .replaceAll(/[\d.,:]+/g, '#')
    .replace(/^(CPU|GPU) KV/, 'KV')

const MARKS = [
  /version #/,
  /^non-default args/,
  /^Resolved architecture/,
  /^Using max model len/,
  /^Initializing a V# LLM engine/,
  /^world_size=/,
  /is assigned as DP rank/,
  /^Loading safetensors checkpoint shards# +# ?% Completed/,
  /^Loading safetensors checkpoint shards.*#% Completed/,
  /^Loading weights took # seconds/,
  /^KV cache size# # tokens/,
  /^init engine \(profile/,
  /^Supported tasks/,
  /^Starting vLLM server on http/,
  /^Available routes are/,
  /^Route# \/health# Methods# GET/,
  /^Route# \/v#\/chat\/completions# Methods# POST/,
  /Started server process \[#\]/,
  /Waiting for application startup/,
  /Application startup complete/,
]

const order = (lines: readonly string[]) => {
  const shapes = lines.map(shape)
  return MARKS.map((mark) => shapes.findIndex((line) => mark.test(line)))
}

test('log lines come in the order vLLM prints them', () => {
  const { clock, log } = run(resolveLine('meta-llama/Llama-3.1-8B-Instruct'))
  clock.runUntil(seconds(600))
  const found = order(log)
  expect(MARKS.filter((_, i) => found[i] === -1)).toEqual([])
  expect(found).toEqual(found.toSorted((a, b) => a - b))
  expect(log[1]).toMatch(/^\(APIServer pid=1\) INFO 01-01 00:00:12 \[api_utils.py:347\] {8}█/)
})

test.skipIf(!existsSync(LOG))('the recorded log has the same marks in the same order', () => {
  const found = order(readFileSync(LOG, 'utf8').split('\n'))
  expect(MARKS.filter((_, i) => found[i] === -1)).toEqual([])
  expect(found).toEqual(found.toSorted((a, b) => a - b))
})

test('refused starts: argparse exits 2 after the imports, the rest 1, with vLLM’s words', () => {
  const bad = run(resolveLine('facebook/opt-125m --foo'))
  bad.clock.runUntil(seconds(600))
  expect(bad.exits).toEqual([{ code: 2, at: seconds(10) }])
  expect(bad.log.at(-1)).toBe('vllm: error: unrecognized arguments: --foo')

  const heads = run(resolveLine('meta-llama/Llama-3.1-70B-Instruct -tp 3', 4))
  heads.clock.runUntil(seconds(600))
  expect(heads.exits).toMatchObject([{ code: 1 }])
  expect(heads.log.join('\n')).toContain(
    'pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig\n(APIServer pid=1)   Value error, Total number of attention heads (64) must be divisible by tensor parallel size (3).',
  )

  const tight = run(resolveLine('meta-llama/Llama-3.1-8B-Instruct', 1, 'NVIDIA-L4'))
  tight.clock.runUntil(seconds(600))
  expect(tight.exits).toMatchObject([{ code: 1 }])
  expect(tight.log.join('\n')).toContain(
    "ValueError: To serve at least one request with the model's max seq len (131072)",
  )
  expect(tight.log.at(-1)).toBe(
    '(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}',
  )
  expect(tight.exits[0]!.at).toBeGreaterThan(seconds(30))
})
