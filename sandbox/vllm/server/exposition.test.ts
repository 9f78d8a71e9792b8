import { existsSync, readFileSync } from 'node:fs'
import { expect, it, test } from 'vitest'
import { seconds } from '../../world/time.ts'
import { renderFamilies } from '../engine/metric-families.ts'
import { recorder, request, resolveLine, run, upServer } from './test-kit.ts'

const GOLDEN = new URL('../../../../shared/data/vllm-golden/load-metrics-after.txt', import.meta.url)

test('nothing is exposed before the server listens, on another port or path, or bound to loopback', () => {
  const { clock, server } = run(resolveLine('facebook/opt-125m'), { totalLoadUs: seconds(60) })
  clock.runUntil(seconds(59))
  expect(server.exposition(8000, '/metrics')).toBeUndefined()
  clock.runUntil(seconds(60))
  expect(server.exposition(8000, '/metrics')).toBeDefined()
  expect(server.exposition(8001, '/metrics')).toBeUndefined()
  expect(server.exposition(8000, '/')).toBeUndefined()
  expect(upServer('facebook/opt-125m --host 127.0.0.1').server.exposition(8000, '/metrics')).toBeUndefined()
})

it.skipIf(!existsSync(GOLDEN))('has the types and label names of a real server (../shared/data)', () => {
  const { clock, server } = upServer()
  server.inference.submit(8000, request('a'), recorder().observer)
  server.inference.submit(8000, request('b', { model: 'nope' }), recorder().observer)
  clock.runUntil(seconds(70))
  const golden = readFileSync(GOLDEN, 'utf8')
  const ours = renderFamilies(server.exposition(8000, '/metrics')!)
  // of other nature than the simulator has: Python's own state, sizes of bodies
  const withoutPython = (text: string) =>
    text.split('\n').filter((l) => l.startsWith('# ') && !/^# \w+ (python_|http_re\w+_size_bytes)/.test(l))
  expect(withoutPython(ours)).toEqual(withoutPython(golden))
  const labelsOf = (text: string) => {
    const names = new Map<string, string>()
    for (const [, name, labels = ''] of text.matchAll(/^(\w[\w:]*)(?:\{(.*)\})? /gm))
      names.set(name!, [...labels.matchAll(/(\w+)="/g)].map((m) => m[1]).join(','))
    return names
  }
  const real = labelsOf(golden)
  for (const [name, labels] of labelsOf(ours))
    if (!name.includes('cache_config')) expect([name, real.get(name)]).toEqual([name, labels])
})

test('requests are counted by status, and only wanted families are made', () => {
  const { clock, server } = upServer()
  server.inference.submit(8000, request('a'), recorder().observer)
  server.inference.submit(8000, request('b', { model: 'nope' }), recorder().observer)
  clock.runUntil(seconds(70))
  const wanted = new Set(['http_requests_total', 'vllm:num_requests_running'])
  const families = server.exposition(8000, '/metrics', wanted)!
  expect(families.map((f) => f.name)).toEqual(['vllm:num_requests_running', 'http_requests_total'])
  const handler = ['handler', '/v1/chat/completions']
  expect(families[1]!.samples.map((s) => [s.labels, s.value])).toEqual([
    [[handler, ['method', 'POST'], ['status', '4xx']], 1],
    [[handler, ['method', 'POST'], ['status', '2xx']], 1],
  ])
})

test('data-parallel engines are told apart by a label within one family', () => {
  const running = run(resolveLine('facebook/opt-125m -dp 2', 2), { totalLoadUs: seconds(60) })
  running.clock.runUntil(seconds(60))
  const [family] = running.server.exposition(8000, '/metrics', new Set(['vllm:num_requests_waiting']))!
  expect(family!.samples.map((s) => s.labels[0])).toEqual([
    ['engine', '0'],
    ['engine', '1'],
  ])
})

test('CPU is the sum of its phases: start, idle, busy, requests', () => {
  const { clock, server } = upServer()
  expect(server.usage().cpuSeconds).toBeCloseTo(60, 6)
  clock.runUntil(seconds(160))
  // 100 s at 0.02 cores
  expect(server.usage().cpuSeconds).toBeCloseTo(62, 6)
  server.inference.submit(8000, request('a', { outputTokens: 50 }), recorder().observer)
  clock.runUntil(seconds(260))
  const { busySeconds } = server.gpuUsage()
  expect(busySeconds).toBeGreaterThan(0.1)
  expect(busySeconds).toBeLessThan(2)
  expect(server.usage().cpuSeconds).toBeCloseTo(64 + busySeconds + 0.004 + 50 * 0.0003, 6)
})

test('workers of a parallel group cost cores only while steps run; in old versions always', () => {
  const line = 'meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192 -tp 2'
  const cores = (version: string, idleCpuCores?: number) => {
    const { clock, server } = run(resolveLine(line, 2, undefined, version), {
      totalLoadUs: seconds(60),
      ...(idleCpuCores === undefined ? {} : { idleCpuCores }),
    })
    clock.runUntil(seconds(60))
    const before = server.usage().cpuSeconds
    clock.runUntil(seconds(160))
    return (server.usage().cpuSeconds - before) / 100
  }
  expect(cores('0.32.0')).toBeCloseTo(0.02, 6)
  expect(cores('0.8.5')).toBeCloseTo(2.02, 6)
  expect(cores('0.32.0', 1)).toBeCloseTo(1, 6)
})

test('the GPU is busy whenever steps run: its share of time says nothing of the load', () => {
  const busyShare = (requests: number) => {
    const { clock, server } = upServer()
    for (let i = 0; i < requests; i++)
      server.inference.submit(8000, request(`r${i}`, { outputTokens: 5000 }), recorder().observer)
    clock.runUntil(seconds(62))
    const before = server.gpuUsage().busySeconds
    clock.runUntil(seconds(72))
    return (server.gpuUsage().busySeconds - before) / 10
  }
  expect(busyShare(0)).toBe(0)
  expect(busyShare(1)).toBeCloseTo(1, 4)
  expect(busyShare(50)).toBeCloseTo(1, 4)
})

test('a hung engine keeps its GPU busy, and time does not jump when it goes on', () => {
  const { clock, server } = upServer()
  server.inference.submit(8000, request('a', { outputTokens: 5000 }), recorder().observer)
  clock.runUntil(seconds(65))
  const at = server.gpuUsage().busySeconds
  server.hang()
  clock.runUntil(seconds(75))
  expect(server.gpuUsage().busySeconds - at).toBeCloseTo(10, 4)
  server.resume()
  expect(server.gpuUsage().busySeconds - at).toBeCloseTo(10, 4)
})

test('GPU memory follows the start: nothing, weights as they load, all that utilisation allows', () => {
  const { clock, server } = run(resolveLine('meta-llama/Llama-3.1-8B-Instruct'), { totalLoadUs: seconds(90) })
  expect(server.gpuUsage().memoryBytes).toBe(0)
  clock.runUntil(seconds(90))
  const { memory } = server.resolved
  const used = server.gpuUsage().memoryBytes
  expect(used / memory.totalBytes).toBeGreaterThan(0.85)
  expect(used / memory.totalBytes).toBeLessThan(0.96)
})
