import { describe, expect, test } from 'vitest'
import { compareVersions, flagTableVersions } from '../../../fixtures/vllm/index.ts'
import { vllmMetrics } from '../../../fixtures/vllm/metrics.ts'
import { histogramOf } from '../engine/metric-quantities.ts'
import { tokenBuckets } from '../engine/metrics.ts'
import { exposedFamilies, metricNamesOf } from './metric-names.ts'
import { recorder, request, resolveLine, run } from './test-kit.ts'

const LINE = 'meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192'

function upVersion(version: string, line = LINE, gpu?: string) {
  const running = run(resolveLine(line, 1, gpu, version), { totalLoadUs: 60e6 })
  running.clock.runUntil(60e6)
  const samples = () => running.server.exposition(8000, '/metrics')!.flatMap((family) => family.samples)
  return { ...running, samples, names: () => new Set(samples().map(({ name }) => name)) }
}

describe('names by version', () => {
  const { exposed: in85 } = metricNamesOf('0.8.5')
  const { exposed: in12 } = metricNamesOf('0.12.0')

  test('what was renamed is gone under its old name', () => {
    expect(in85).toContain('vllm:gpu_cache_usage_perc')
    expect(in85).not.toContain('vllm:kv_cache_usage_perc')
    expect(metricNamesOf('0.10.2').exposed).toContain('vllm:kv_cache_usage_perc')
    expect(in12).not.toContain('vllm:gpu_cache_usage_perc')
    expect(in85).toContain('vllm:time_per_output_token_seconds_bucket')
    expect(in12).not.toContain('vllm:time_per_output_token_seconds_bucket')
    expect(in12).toContain('vllm:inter_token_latency_seconds_bucket')
  })

  test('V0 has its own, and was the default until 0.8', () => {
    const v0 = metricNamesOf('0.7.3')
    expect(v0.exposed).toContain('vllm:num_requests_swapped')
    expect(v0.exposed).not.toContain('vllm:num_requests_running_total')
    expect([...v0.exposed].filter((name) => name.startsWith('vllm:') && name.endsWith('_created'))).toEqual([])
    expect(in85).not.toContain('vllm:num_requests_swapped')
    expect(metricNamesOf('0.8.5', { engine: 'v0' }).exposed).not.toContain('vllm:gpu_prefix_cache_hits_total')
    expect(metricNamesOf('0.32.0', { engine: 'v0' }).exposed).toEqual(metricNamesOf('0.32.0').exposed)
  })

  test('what is registered but not counted here is not exposed, and said', () => {
    const old = metricNamesOf('0.6.6.post1')
    expect(old.notSimulated).toContain('vllm:avg_generation_throughput_toks_per_s')
    expect(old.exposed).not.toContain('vllm:avg_generation_throughput_toks_per_s')
    expect(metricNamesOf('0.7.3').notSimulated).not.toContain('vllm:avg_generation_throughput_toks_per_s')
    expect(metricNamesOf('0.32.0').notSimulated).toContain('vllm:lora_requests_info')
    expect(metricNamesOf('0.32.0').notSimulated).toContain('vllm:spec_decode_num_drafts_total')
  })

  test('hidden ones are shown for the minor version before, and only for that', () => {
    const of = (showHiddenFor: string) => metricNamesOf('0.12.0', { showHiddenFor }).exposed
    expect(of('0.11')).toContain('vllm:time_per_output_token_seconds_bucket')
    expect(of('0.10')).not.toContain('vllm:time_per_output_token_seconds_bucket')
  })

  test('a version in between has those of its minor version, a newer one the last', () => {
    expect(vllmMetrics('0.11.1').version).toBe('0.11.0')
    expect(vllmMetrics('0.15.1').version).toBe('0.14.1')
    expect(vllmMetrics('0.99.0').version).toBe('0.33.0')
    expect(vllmMetrics('0.5.0').version).toBe('0.6.6.post1')
  })
})

describe.each(flagTableVersions())('vLLM %s', (version) => {
  const { families, engine } = exposedFamilies(version, { showHiddenFor: `0.${Number(version.split('.')[1]) - 1}` })

  test('has a table of its own, of the engine of its time', () => {
    expect(vllmMetrics(version).version).toBe(version)
    expect(engine).toBe(compareVersions(version, '0.8.0') < 0 ? 'v0' : 'v1')
    expect(families.length).toBeGreaterThan(15)
  })

  test('has one set of buckets for each simulated histogram', () => {
    const bounds = new Map<string, string>()
    for (const family of families) {
      const name = histogramOf(family)
      if (!name) continue
      const text = JSON.stringify(family.buckets)
      expect([name, bounds.get(name) ?? text]).toEqual([name, text])
      bounds.set(name, text)
    }
    expect(bounds.size).toBeGreaterThan(8)
  })

  test('exposes exactly what is named, once requests were answered', () => {
    const { clock, server, names } = upVersion(version)
    server.inference.submit(8000, request('a'), recorder().observer)
    clock.runUntil(120e6)
    const ours = [...names()].sort()
    expect(ours).toEqual([...metricNamesOf(version).exposed].sort())
  })
})

test('an old server tells the same quantities by its old names, labels and buckets', () => {
  const { clock, server, samples, names } = upVersion('0.7.3')
  expect(names()).not.toContain('vllm:time_per_output_token_seconds_bucket')
  expect(names()).not.toContain('vllm:request_success_total')
  server.inference.submit(8000, request('a', { outputTokens: 2000 }), recorder().observer)
  clock.runUntil(62e6)
  const value = (name: string) => samples().find((sample) => sample.name === name)!
  expect(value('vllm:gpu_cache_usage_perc').value).toBeGreaterThan(0)
  expect(value('vllm:gpu_cache_usage_perc').labels).toEqual([['model_name', 'meta-llama/Llama-3.1-8B-Instruct']])
  expect(value('vllm:num_requests_swapped').value).toBe(0)
  clock.runUntil(200e6)
  expect(value('vllm:time_per_output_token_seconds_count').value).toBe(1999)
  const bounds = samples().filter(({ name }) => name === 'vllm:time_to_first_token_seconds_bucket')
  expect(bounds.map(({ labels }) => labels[0]![1]).at(-2)).toBe('10.0')
  expect(value('vllm:request_success_total').labels[0]).toEqual(['finished_reason', 'stop'])
})

test('the prefix cache was counted in blocks, later in tokens', () => {
  const queries = (version: string, name: string) => {
    const { clock, server, samples } = upVersion(version)
    server.inference.submit(8000, request('a', { promptTokens: 160 }), recorder().observer)
    clock.runUntil(120e6)
    return samples().find((sample) => sample.name === name)!.value
  }
  expect(queries('0.8.5', 'vllm:gpu_prefix_cache_queries_total')).toBe(10)
  expect(queries('0.10.0', 'vllm:gpu_prefix_cache_queries_total')).toBe(160)
})

test('VLLM_USE_V1, an old GPU and the flag for hidden metrics decide too', () => {
  expect(upVersion('0.8.5', 'facebook/opt-125m', 'Tesla-T4').names()).not.toContain('vllm:gpu_prefix_cache_hits_total')
  expect(upVersion('0.8.5', 'facebook/opt-125m').names()).toContain('vllm:gpu_prefix_cache_hits_total')
  const hidden = `${LINE} --show-hidden-metrics-for-version 0.11`
  expect(upVersion('0.12.0', hidden).names()).toContain('vllm:time_per_output_token_seconds_bucket')
})

test('buckets of token counts follow the longest context', () => {
  const family = exposedFamilies('0.32.0').families.find(({ name }) => name === 'vllm:request_prompt_tokens')!
  expect(family.buckets).toBe('tokens')
  expect(tokenBuckets(2048)).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000])
})
