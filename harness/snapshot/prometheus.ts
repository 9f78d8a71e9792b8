import type { MeasuredFigure } from './pods.ts'

/** The load of one served model, as its metrics tell it. */
export interface MeasuredWorkload {
  readonly arrival?: { readonly rate: MeasuredFigure }
  readonly promptTokens?: { readonly mean: number; readonly p95: number }
  readonly outputTokens?: { readonly mean: number; readonly p95: number }
}

/** Answers an instant query: values by the label `model_name`. */
export type Query = (expression: string) => Promise<ReadonlyMap<string, number>>

/** Prometheus could not be asked. */
export class PrometheusError extends Error {
  override readonly name = 'PrometheusError'
}

/** Asks a Prometheus by GET. Throws a PrometheusError that says what it answered. */
export const prometheusAt =
  (address: string): Query =>
  async (expression) => {
    const url = `${address.replace(/\/+$/, '')}/api/v1/query?query=${encodeURIComponent(expression)}`
    let text: string
    try {
      const response = await fetch(url, { headers: { Accept: 'application/json' } })
      text = await response.text()
      if (!response.ok) throw new PrometheusError(`${address} answered ${response.status}: ${text.slice(0, 200)}`)
    } catch (error) {
      if (error instanceof PrometheusError) throw error
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      throw new PrometheusError(`no answer from ${address}: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
    return valuesIn(text, address)
  }

function valuesIn(text: string, address: string): Map<string, number> {
  const values = new Map<string, number>()
  let answer: { data?: { result?: readonly { metric?: Record<string, string>; value?: readonly [number, string] }[] } }
  try {
    answer = JSON.parse(text) as typeof answer
  } catch {
    throw new PrometheusError(`${address} is no Prometheus: it did not answer JSON`)
  }
  for (const { metric, value } of answer.data?.result ?? []) {
    const number = Number(value?.[1])
    if (metric?.['model_name'] && Number.isFinite(number)) values.set(metric['model_name'], number)
  }
  return values
}

/** Rates and lengths of each model vLLM serves, over `window` (`1d`). Metrics of vLLM's docs/usage/metrics. */
export async function measuredWorkloads(query: Query, window: string): Promise<Record<string, MeasuredWorkload>> {
  const rates = await query(`sum by (model_name) (rate(vllm:request_success_total[${window}]))`)
  const lengths = async (metric: string) => {
    const over = (part: string) => `sum by (model_name) (rate(${metric}_${part}[${window}]))`
    const means = await query(`${over('sum')} / ${over('count')}`)
    const p95s = await query(`histogram_quantile(0.95, sum by (model_name, le) (rate(${metric}_bucket[${window}])))`)
    return (model: string) => {
      const [mean, p95] = [Math.round(means.get(model) ?? 0), Math.round(p95s.get(model) ?? 0)]
      return mean >= 1 && p95 > mean ? { mean, p95 } : undefined
    }
  }
  const prompts = await lengths('vllm:request_prompt_tokens')
  const outputs = await lengths('vllm:request_generation_tokens')
  const workloads = [...rates.keys()].sort().map((model): [string, MeasuredWorkload] => {
    const rate = rates.get(model)!
    const [promptTokens, outputTokens] = [prompts(model), outputs(model)]
    const perHour = rate < 0.01
    const value = perHour ? `${figure(rate * 3600)}/h` : `${figure(rate)}/s`
    return [
      model,
      {
        ...(rate > 0 ? { arrival: { rate: { value, measured: `Prometheus, over ${window}` } } } : {}),
        ...(promptTokens ? { promptTokens } : {}),
        ...(outputTokens ? { outputTokens } : {}),
      },
    ]
  })
  return Object.fromEntries(workloads.filter(([, workload]) => Object.keys(workload).length > 0))
}

/** Without an exponent, which rates are not written with. */
const figure = (value: number): string => String(Number(value.toFixed(4)))
