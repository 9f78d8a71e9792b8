import { describe, expect, test } from 'vitest'
import { queueSignalOf } from './queue-signal.ts'
import { platformOf, SERVICE_MONITOR } from './testkit.ts'

const RESOURCES = 'resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}'
const PLAIN = 'sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'

const rule = (seriesQuery: string, name: string, metricsQuery = PLAIN) =>
  `{seriesQuery: '${seriesQuery}', ${RESOURCES}, name: ${name}, metricsQuery: '${metricsQuery}'}`

const metricsOf = async (...rules: string[]) => {
  const config = `metrics: {adapter: {rules: [${rules.join(', ')}]}}`
  return queueSignalOf(await platformOf([SERVICE_MONITOR], { config })).podsMetrics
}

describe("an adapter's rules", () => {
  test('are told apart by what they ask for: what waits, what runs, and both', async () => {
    const waiting = rule('vllm:num_requests_waiting', '{as: queue}')
    const running = rule('vllm:num_requests_running', '{as: batch}')
    expect(await metricsOf(waiting)).toEqual({ waiting: 'queue' })
    expect(await metricsOf(running, waiting)).toEqual({ waiting: 'queue', running: 'batch' })
    const sum = 'sum(vllm:num_requests_running{<<.LabelMatchers>>} + <<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'
    expect(await metricsOf(waiting, rule('vllm:num_requests_waiting', '{as: requests}', sum))).toEqual({
      waiting: 'queue',
      both: 'requests',
    })
  })

  test('may be one for several series', async () => {
    const pattern = rule('{__name__=~"^vllm:num_requests_.*"}', '{matches: "^vllm:(.*)$", as: "$1"}')
    expect(await metricsOf(pattern)).toEqual({ waiting: 'num_requests_waiting', running: 'num_requests_running' })
  })

  test('on others, or that cannot be read, give nothing', async () => {
    expect(await metricsOf(rule('vllm:kv_cache_usage_perc', '{as: usage}'))).toEqual({})
    expect(queueSignalOf(await platformOf([SERVICE_MONITOR])).podsMetrics).toEqual({})
  })
})
