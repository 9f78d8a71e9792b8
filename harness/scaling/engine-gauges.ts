import type { JournalRecord } from '../../sandbox/journal/record.ts'
import type { Us } from '../../sandbox/world/time.ts'

/** Requests that wait at an engine; the gauge of every version. */
export const WAITING = 'vllm:num_requests_waiting'
/** Requests that an engine works at. */
const RUNNING = 'vllm:num_requests_running'
/** How much of the KV cache is taken, 0 to 1: V1's name, and V0's. */
export const KV_USAGE = ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc']

/** What engines said of their queues and caches, as far as it was recorded. */
export class EngineGauges {
  /** When requests waited first. */
  waitingSince: Us | undefined
  /** The most that waited on one replica, and when. */
  most = { waiting: 0, at: 0 as Us, pod: '' }
  /** The most of a KV cache that was taken while requests waited. */
  kvUsage = 0
  /** The most requests that one replica ran at once while others waited there. */
  batch: number | undefined
  looks = 0
  private readonly waiting = new Map<string, number>()
  private sinceUs: Us = Number.POSITIVE_INFINITY

  /** What was before counts no more. */
  begin(now: Us): void {
    this.sinceUs = now
  }

  record(record: JournalRecord): void {
    if (record.type !== 'sample' || record.at < this.sinceUs) return
    const { metric, value, at, labels } = record
    const pod = labels['pod'] ?? ''
    if (KV_USAGE.includes(metric) && (this.waiting.get(pod) ?? 0) > 0) this.kvUsage = Math.max(this.kvUsage, value)
    if (metric === RUNNING && (this.waiting.get(pod) ?? 0) > 0) this.batch = Math.max(this.batch ?? 0, value)
    if (metric !== WAITING) return
    this.looks++
    this.waiting.set(pod, value)
    if (value > 0) this.waitingSince ??= at
    if (value > this.most.waiting) this.most = { waiting: value, at, pod }
  }
}
