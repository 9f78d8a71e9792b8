import type { Header, WireRequest } from '../http.ts'
import { dumps } from '../python/dumps.ts'
import { floatRepr } from '../python/text.ts'
import { PyFloat } from '../python/value.ts'
import type { Serving } from '../serving.ts'

/** The header `endpoint-load-metrics` of whole answers, where the request asks for one in a form that is known. */
// follows vllm/entrypoints/serve/utils/orca_metrics.py
export function loadReport({ headers }: WireRequest, serving: Serving): readonly Header[] {
  const format = (headers.get('endpoint-load-metrics-format') ?? '').toLowerCase()
  if (format !== 'text' && format !== 'json') return []
  const metrics = serving
    .loadGauges()
    .flatMap(({ waiting, kvCacheUsage }) => [
      ['num_requests_waiting', waiting] as const,
      ['kv_cache_usage_perc', kvCacheUsage] as const,
    ])
  const report =
    format === 'text'
      ? `TEXT ${metrics.map(([name, value]) => `named_metrics.${name}=${floatRepr(value)}`).join(', ')}`
      : `JSON ${dumps({ named_metrics: new Map(metrics.map(([name, value]) => [name, new PyFloat(value)])) })}`
  return [['endpoint-load-metrics', report]]
}
