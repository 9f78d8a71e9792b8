import type { Us } from '../../world/time.ts'
import type { LoraActivity } from './metric-lora.ts'
import type { EngineMetrics } from './metrics.ts'
import type { RequestRecord, RequestTable } from './requests.ts'
import type { FinishReason } from './types.ts'

const US_PER_SECOND = 1e6

/** What the metrics take from a request that has ended. Times are µs with a fraction. */
export interface FinishedRequest {
  readonly reason: FinishReason
  /** Of its last output. */
  readonly at: number
  readonly queuedAt: number
  readonly scheduledAt: number
  readonly firstTokenAt: number
  readonly preemptions: number
  /** Of the prompt, found in the cache. */
  readonly cachedTokens: number
  readonly outputTokens: number
}

/** Counts a request that has ended by itself, or that the server has ended. */
// follows IterationStats.update_from_finished_request and ParentRequest.observe_finished_request
export function countFinished(metrics: EngineMetrics, record: RequestRecord, finished: FinishedRequest): void {
  const { at, queuedAt, scheduledAt, firstTokenAt, outputTokens, cachedTokens } = finished
  const { promptTokens, group } = record.request
  const decode = (at - firstTokenAt) / US_PER_SECOND
  metrics.success[finished.reason]++
  metrics.e2e.observe((at - record.arrivedAt) / US_PER_SECOND)
  metrics.queueTime.observe((scheduledAt - queuedAt) / US_PER_SECOND)
  metrics.prefillTime.observe((firstTokenAt - scheduledAt) / US_PER_SECOND)
  metrics.inferenceTime.observe((at - scheduledAt) / US_PER_SECOND)
  metrics.decodeTime.observe(decode)
  metrics.timePerOutputToken.observe(outputTokens > 1 ? decode / (outputTokens - 1) : 0)
  metrics.requestPreemptions.observe(finished.preemptions)
  metrics.prefillKvComputed.observe(promptTokens - cachedTokens)
  metrics.requestPromptTokens.observe(promptTokens)
  metrics.requestGenerationTokens.observe(outputTokens)
  metrics.requestMaxTokens.observe(record.maxTokens)
  const longest = group ? group.ended(outputTokens) : outputTokens
  if (longest === undefined) return
  metrics.requestMaxGenerationTokens.observe(longest)
  metrics.paramsN.observe(group?.n ?? 1)
}

/** A request the server ends itself. `slot` is negative where the scheduler has not seen it yet. */
export const abortingOf = (record: RequestRecord, slot: number, outputTokens: number) => {
  return { record, slot, outputTokens, observer: record.observer }
}

/**
 * Counts requests that the server ends at `at`: each as if its last output had no token. The front end knows of a request's way only from
 * its outputs: before the first, times count from the host's start.
 */
// follows _send_finish_outputs_to_client in vllm/v1/engine/core.py and IterationStats.update_from_output
export function countAborted(
  metrics: EngineMetrics,
  table: RequestTable,
  ending: readonly ReturnType<typeof abortingOf>[],
  at: Us,
): void {
  for (const { record, slot, outputTokens } of ending) {
    if (outputTokens === 0) {
      metrics.timeToFirstToken.observe((at - record.arrivedAt) / US_PER_SECOND)
      countFinished(metrics, record, { ...WITHOUT_OUTPUT, at, firstTokenAt: at })
      continue
    }
    metrics.interTokenLatency.observe((at - table.lastTokenAt[slot]!) / US_PER_SECOND)
    countFinished(metrics, record, {
      reason: 'abort',
      at,
      queuedAt: table.queuedAt[slot]!,
      scheduledAt: table.scheduledAt[slot]!,
      firstTokenAt: table.firstTokenAt[slot]!,
      preemptions: table.preemptions[slot]! - table.unreported[slot]!,
      cachedTokens: table.cachedPromptTokens[slot]!,
      outputTokens,
    })
  }
  if (ending.length > 0) metrics.iterationTokens.observe(0)
}

const WITHOUT_OUTPUT = {
  reason: 'abort',
  queuedAt: 0,
  scheduledAt: 0,
  preemptions: 0,
  cachedTokens: 0,
  outputTokens: 0,
} as const

/** Requests in these slots end without an output of their own. */
export function forgetLoras(activity: LoraActivity, table: RequestTable, slots: ReadonlySet<number>): void {
  for (const slot of slots) {
    const { lora } = table.records[slot]!.request
    if (lora !== undefined && table.outputTokens(slot) > 0) activity.ended(lora)
  }
}
