import { existsSync, readFileSync } from 'node:fs'
import { expect, it, test } from 'vitest'
import { VirtualClock } from '../../world/clock.ts'
import { seconds } from '../../world/time.ts'
import { EngineHost } from '../engine/engine-host.ts'
import { renderFamilies } from '../engine/metric-text.ts'
import { plainSteps } from '../engine/test-kit.ts'
import { Exposition } from './exposition.ts'
import { FrontEnd } from './front-end.ts'
import type { RunnableServer } from './resolve.ts'
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

/** An exposition without its numbers: comments, and names with labels. Of what depends on the machine only names of labels. */
const shapeOf = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line.startsWith('#') ? line : line.slice(0, line.lastIndexOf(' '))))
    .map((line) => (/^(vllm:cache_config_info|python_info)/.test(line) ? line.replace(/="[^"]*"/g, '') : line))

const golden = (name: string) => readFileSync(new URL(name, GOLDEN), 'utf8')

/** An exposition of a server like the recorded one. */
function tiny(more = '') {
  const line = `facebook/opt-125m --served-model-name tiny-llama --max-model-len 2048${more}`
  const server = resolveLine(line) as RunnableServer
  const clock = new VirtualClock()
  const { engines } = new FrontEnd(clock, server)
  return { clock, engines, exposition: new Exposition(clock, server, { engines: () => engines }) }
}

it.skipIf(!existsSync(GOLDEN))('is that of a real server line by line, but for numbers (../shared/data)', () => {
  expect(shapeOf(renderFamilies(tiny().exposition.families()))).toEqual(shapeOf(golden('metrics_before.txt')))
})

it.skipIf(!existsSync(GOLDEN))('and so after the same requests (../shared/data)', () => {
  for (const name of ['metrics_after.txt', 'load-metrics-after.txt', 'load3-mid-dummy-metrics-after.txt']) {
    const { exposition } = tiny()
    const real = golden(name)
    const counted = /^http_requests_total\{handler="(.*)",method="(.*)",status="(.)xx"\} (\d+)/gm
    for (const [, handler, method, status, times] of real.matchAll(counted))
      for (let i = 0; i < Number(times); i++)
        exposition.http.count({
          handler: handler === 'none' ? undefined : handler,
          path: '/other',
          method: method!,
          status: Number(status) * 100,
          requestBytes: 10,
          responseBytes: 20,
          seconds: 0.01,
        })
    const ours = renderFamilies(exposition.families())
    const totals = (text: string) => text.split('\n').filter((line) => /^http_requests_total|_bytes_count/.test(line))
    expect(totals(ours)).toEqual(totals(real))
    expect(shapeOf(ours)).toEqual(shapeOf(real))
  }
})

it('has adapters, tool calls and sleep where a server with them has these', () => {
  const { clock, exposition } = tiny(' --enable-auto-tool-choice --tool-call-parser hermes')
  const names = () => exposition.families().map(({ name }) => name)
  const without = tiny().exposition.families()
  expect(names().slice(without.length)).toEqual([
    'vllm:tool_call_parser_invocations_total',
    'vllm:tool_call_parser_invocations_created',
  ])
  exposition.tools!.count({ toolCalled: true, streaming: true, requestType: 'chat_completions' })
  const woke = exposition.sleep.began('wake')
  clock.runUntil(5e4)
  const text = () => renderFamilies(exposition.families())
  expect(text()).toContain('\nvllm:sleep_mode_operations_in_flight{operation="wake"} 1.0\n')
  woke()
  expect(names().slice(without.length + 2)).toEqual([
    'vllm:sleep_mode_operation_duration_seconds',
    'vllm:sleep_mode_operation_duration_seconds_created',
    'vllm:sleep_mode_operations_in_flight',
  ])
  for (const line of [
    'vllm:sleep_mode_operation_duration_seconds_bucket{le="0.01",operation="wake"} 0.0',
    'vllm:sleep_mode_operation_duration_seconds_bucket{le="0.1",operation="wake"} 1.0',
    'vllm:sleep_mode_operation_duration_seconds_sum{operation="wake"} 0.05',
    'vllm:tool_call_parser_invocations_total{mode="streaming",model_name="tiny-llama",outcome="tool_call",request_type="chat_completions"} 1.0',
    'vllm:tool_call_parser_invocations_total{mode="non_streaming",model_name="tiny-llama",outcome="no_tool_call",request_type="other"} 0.0',
  ])
    expect(text().split('\n')).toContain(line)
})

it('tells the adapters in use, the time as the value, just before the settings of the cache', () => {
  const server = resolveLine('facebook/opt-125m --enable-lora --max-loras 2') as RunnableServer
  const clock = new VirtualClock()
  const host = new EngineHost(clock, { numGpuBlocks: 100, maxModelLen: 64, enableLora: true }, plainSteps)
  const exposition = new Exposition(clock, server, { engines: () => [host] })
  host.submit({ id: 'a', promptTokens: 5, outputTokens: 5, lora: 'ad1' }, {})
  clock.runUntil(1e6)
  const all = exposition.families()
  const at = all.findIndex(({ name }) => name === 'vllm:lora_requests_info')
  expect(all[at + 1]!.name).toBe('vllm:cache_config_info')
  expect(renderFamilies([all[at]!])).toMatch(
    /\{max_lora="2",running_lora_adapters="ad1",waiting_lora_adapters="ad1"\} 1\.7672256\d*e\+09\n.*\{max_lora="2",running_lora_adapters="",waiting_lora_adapters=""\} 1\.7672256/,
  )
})

it('has nothing of the engines with --disable-log-stats', () => {
  const names = tiny(' --disable-log-stats')
    .exposition.families()
    .map(({ name }) => name)
  expect(names.filter((name) => name.startsWith('vllm:'))).toEqual([])
  expect(names).toContain('http_requests_total')
})

it('the API server’s CPU grows with requests and their tokens, in hundredths of seconds', () => {
  const { clock, exposition, engines } = tiny()
  const cpu = () => exposition.families(new Set(['process_cpu_seconds_total']))[0]!.samples[0]!.value
  const idle = cpu()
  engines[0]!.submit({ id: 'a', promptTokens: 5, outputTokens: 200 }, {})
  clock.runUntil(60e6)
  exposition.countPost('/v1/completions', 200, 1e6)
  expect(cpu() - idle).toBeCloseTo(0.06, 6)
})

it('tells how deep the engines sleep', () => {
  const { exposition } = tiny()
  const state = () =>
    exposition
      .families(new Set(['vllm:engine_sleep_state']))[0]!
      .samples.map(({ labels, value }) => [labels[2]![1], value])
  const states = (...values: readonly number[]) =>
    ['awake', 'weights_offloaded', 'discard_all'].map((name, i) => [name, values[i]])
  expect(state()).toEqual(states(1, 0, 0))
  exposition.sleepState = 0
  expect(state()).toEqual(states(0, 0, 0))
  exposition.sleepState = 2
  expect(state()).toEqual(states(0, 0, 1))
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

test('data-parallel engines are told apart by a label within one family, series by series', () => {
  const running = run(resolveLine('facebook/opt-125m -dp 2', 2), { totalLoadUs: seconds(60) })
  running.clock.runUntil(seconds(60))
  const of = (name: string) =>
    running.server
      .exposition(8000, '/metrics', new Set([name]))![0]!
      .samples.map(({ labels }) => labels.map(([, value]) => value).join(' '))
  const model = 'facebook/opt-125m'
  expect(of('vllm:num_requests_waiting_by_reason')).toEqual(
    ['0', '1']
      .map((engine) => `${engine} ${model} capacity`)
      .concat(['0', '1'].map((engine) => `${engine} ${model} deferred`)),
  )
  expect(of('vllm:admission_rejections_total')).toEqual([
    `${model} max_num_queued_reqs`,
    `${model} max_num_queued_tokens`,
  ])
  expect(
    of('vllm:request_params_n_bucket')
      .map((labels) => labels[0])
      .join(''),
  ).toBe('00000000' + '11111111')
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
