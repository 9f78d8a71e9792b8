import type { MetricFamily, Sample } from '../../metrics/sample.ts'
import type { Clock } from '../../world/clock.ts'
import { EPOCH_MS, toSeconds } from '../../world/time.ts'
import { LabelledHistogram } from './http-metrics.ts'

type Labels = Sample['labels']

const unixSeconds = ({ now }: Clock) => EPOCH_MS / 1e3 + toSeconds(now)

export type ToolRequestType = 'chat_completions' | 'responses' | 'other'

/** What a server with `--tool-call-parser` counts: its last family but those of sleep mode. */
// follows vllm/parser/metrics.py
export class ToolCallMetrics {
  private readonly counts: { readonly key: string; readonly labels: Labels; value: number }[] = []
  private readonly since: number

  constructor(clock: Clock, modelName: string) {
    this.since = unixSeconds(clock)
    for (const mode of ['streaming', 'non_streaming'])
      for (const outcome of ['tool_call', 'no_tool_call'])
        for (const request_type of ['chat_completions', 'responses', 'other']) {
          const labels = Object.entries({ mode, model_name: modelName, outcome, request_type })
          this.counts.push({ key: `${mode} ${outcome} ${request_type}`, labels, value: 0 })
        }
  }

  /** The parser has looked at a choice, or at a delta of a stream. */
  count(seen: {
    readonly toolCalled: boolean
    readonly streaming: boolean
    readonly requestType: ToolRequestType
  }): void {
    const outcome = seen.toolCalled ? 'tool_call' : 'no_tool_call'
    const key = `${seen.streaming ? 'streaming' : 'non_streaming'} ${outcome} ${seen.requestType}`
    this.counts.find((count) => count.key === key)!.value++
  }

  families(): MetricFamily[] {
    const base = 'vllm:tool_call_parser_invocations'
    const help =
      'Total number of ToolParser invocations. Non-streaming increments once per choice; streaming increments once per delta.'
    const all = (name: string, type: MetricFamily['type'], of: (count: { value: number }) => number) => ({
      name,
      help,
      type,
      samples: this.counts.map((count) => ({ name, labels: count.labels, value: of(count) })),
    })
    return [all(`${base}_total`, 'counter', ({ value }) => value), all(`${base}_created`, 'gauge', () => this.since)]
  }
}

export type SleepOperation = 'sleep' | 'release_kv_cache_memory' | 'wake'

/** What a server counts of sleep mode, from the first operation on: the last families of all. */
// follows vllm/entrypoints/serve/dev/sleep/metrics.py
export class SleepMetrics {
  private readonly clock: Clock
  private readonly inFlight = new Map<SleepOperation, { readonly labels: Labels; value: number }>()
  private readonly durations = new Map<SleepOperation, { readonly of: LabelledHistogram; readonly since: number }>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** An operation begins. Returns what is to be called at its end, however it ends. */
  began(operation: SleepOperation): () => void {
    const { now } = this.clock
    let active = this.inFlight.get(operation)
    if (!active) {
      active = { labels: [['operation', operation]], value: 0 }
      this.inFlight.set(operation, active)
    }
    const { labels } = active
    active.value++
    return () => {
      active.value--
      let duration = this.durations.get(operation)
      if (!duration) {
        duration = { of: new LabelledHistogram(BUCKETS, labels), since: unixSeconds(this.clock) }
        this.durations.set(operation, duration)
      }
      duration.of.histogram.observe(toSeconds(this.clock.now - now))
    }
  }

  families(): MetricFamily[] {
    if (this.inFlight.size === 0) return []
    const name = 'vllm:sleep_mode_operation_duration_seconds'
    const help = 'Duration of one sleep-mode operation.'
    const durations = [...this.durations.values()]
    const created = durations.map(({ of, since }) => ({ name: `${name}_created`, labels: of.labels, value: since }))
    const inFlight = 'vllm:sleep_mode_operations_in_flight'
    return [
      { name, help, type: 'histogram', samples: durations.flatMap(({ of }) => of.samples(name)) },
      ...(created.length > 0 ? [{ name: `${name}_created`, help, type: 'gauge' as const, samples: created }] : []),
      {
        name: inFlight,
        help: 'Sleep-mode operations currently awaited.',
        type: 'gauge',
        samples: [...this.inFlight.values()].map(({ labels, value }) => ({ name: inFlight, labels, value })),
      },
    ]
  }
}

const BUCKETS = [0.01, 0.1, 1, 10, 30, 60, 120, 300, 600]
