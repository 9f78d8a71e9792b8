import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { metricFamilies } from './metric-families.ts'
import { renderFamilies } from './metric-text.ts'
import { EngineMetrics } from './metrics.ts'
import { plainSteps } from './test-kit.ts'

const GOLDEN = new URL('../../../../shared/data/vllm-golden/metrics_after.txt', import.meta.url)

/** An exposition without its numbers: comments, and names with labels, in order. Label names only for the info family. */
const shapeOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => /^(# (HELP|TYPE) )?vllm:/.test(line))
    .map((line) => (line.startsWith('#') ? line : line.slice(0, line.lastIndexOf(' '))))
    .map((line) => (line.startsWith('vllm:cache_config_info') ? line.replace(/="[^"]*"/g, '') : line))

describe('metric families', () => {
  it.skipIf(!existsSync(GOLDEN))(
    'are those of a real server: names, texts, types, labels, buckets, order (../shared/data)',
    () => {
      const golden = readFileSync(GOLDEN, 'utf8')
      const info = golden.split('\n').find((line) => line.startsWith('vllm:cache_config_info'))!
      const cacheConfig = Object.fromEntries([...info.matchAll(/(\w+)="/g)].map(([, name]) => [name!, '']))
      delete cacheConfig['engine']
      const options = { modelName: 'tiny-llama', createdAt: 0, cacheConfig }
      expect(shapeOf(renderFamilies(metricFamilies(new EngineMetrics(2048), options)))).toEqual(shapeOf(golden))
    },
  )

  it('count what the engine did', () => {
    const engine = new Engine({ numGpuBlocks: 100, maxModelLen: 256 }, plainSteps)
    engine.submit({ id: 'a', promptTokens: 20, outputTokens: 5, maxTokens: 5 }, 0)
    engine.submit({ id: 'b', promptTokens: 30, outputTokens: 5, maxTokens: 9 }, 10)
    engine.advanceTo(1e6)
    const text = renderFamilies(metricFamilies(engine.metrics, { modelName: 'm', createdAt: 0 }))
    for (const line of [
      'vllm:num_requests_running{engine="0",model_name="m"} 0.0',
      'vllm:prompt_tokens_total{engine="0",model_name="m"} 50.0',
      'vllm:generation_tokens_total{engine="0",model_name="m"} 10.0',
      'vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 1.0',
      'vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 1.0',
      'vllm:inter_token_latency_seconds_count{engine="0",model_name="m"} 8.0',
      'vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 2.0',
      'vllm:request_generation_tokens_bucket{engine="0",le="2.0",model_name="m"} 0.0',
      'vllm:request_generation_tokens_bucket{engine="0",le="5.0",model_name="m"} 2.0',
      'vllm:request_prompt_tokens_sum{engine="0",model_name="m"} 50.0',
    ])
      expect(text.split('\n')).toContain(line)
  })
})
