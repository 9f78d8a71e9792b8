import { objectiveText } from '../../../slo/objective.ts'
import type { UserScriptRun } from './run.ts'

/** What a run of a user's script says, and what it cannot say: lines for people. */
export function wordsOf({ k6, end, text, summary, invalid, unmeasured }: UserScriptRun): string[] {
  const lines = [`k6 ${k6.version} at ${k6.path}`]
  if (summary) {
    lines.push(
      `${summary.requests} requests in ${summary.iterations} iterations` +
        (summary.failedShare ? `, ${(summary.failedShare * 100).toFixed(2)} % failed` : '') +
        (summary.dropped > 0 ? `, ${summary.dropped} iterations dropped` : ''),
    )
    for (const { metric, expression, ok } of summary.thresholds)
      lines.push(`${ok ? 'held' : 'crossed'}: ${metric} ${expression}`)
  }
  lines.push(
    'not measured: the time between tokens; TTFT, as http_req_waiting is the time to the headers, which vLLM sends before the first token',
    ...unmeasured.map(
      (objective) => `not judged: ${objectiveText(objective)}; seatrial's own load without --k6 script judges it`,
    ),
  )
  if (invalid) lines.push(`INVALID: ${invalid}`)
  if (end !== 'ended' && end !== 'slo-breached') lines.push(text)
  return lines
}
