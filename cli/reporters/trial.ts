import { alertLines } from '../../harness/alerts/text.ts'
import { costText } from '../../harness/cost/cost.ts'
import type { TrialResult } from '../../harness/verdict/verdict.ts'
import { formatDuration } from '../../sandbox/world/time.ts'
import { marks, style } from '../style.ts'
import { lastedText } from './lasted.ts'

/** One trial for people: each expectation with what was seen. */
export function trialLines(result: TrialResult): string[] {
  const { outcome, scenario, subject, seed, judged, invalid, requests, alerts, cost, journalHash } = result
  const lines = judged.flatMap(({ held, cutShort, expectation, summary, broken, samples }) => [
    ` ${cutShort ? style.dim(marks.none) : held ? style.green(marks.pass) : style.red(marks.fail)} ${expectation}  ${style.dim(held ? (summary ?? `${samples} looked at`) : '')}`,
    ...(broken
      ? [
          `     ${broken.what}`,
          ...broken.evidence.map((e) => style.dim(`     ${formatDuration(e.at)} ${e.about}: «${e.text}»`)),
        ]
      : []),
  ])
  if (requests.sent > 0)
    lines.push(
      style.dim(
        `   ${requests.sent} requests: ${requests.ok} answered, ${requests.failed} failed${requests.ttftP50Us === undefined ? '' : `; TTFT p50 ${formatDuration(requests.ttftP50Us)}, p99 ${formatDuration(requests.ttftP99Us!)}`}`,
      ),
    )
  for (const line of alerts ? alertLines(alerts) : []) lines.push(style.dim(`   ${line}`))
  if (cost) lines.push(style.dim(`   ${costText(cost)}`))
  for (const { code, what, fix } of invalid) lines.push(`   ${code} ${what}`, style.dim(`   ${fix}`))
  const colour = outcome === 'PASS' ? style.green : outcome === 'FAIL' ? style.red : style.yellow
  lines.push(
    '',
    `${colour(style.bold(outcome))}  ${scenario} on ${subject}, seed ${seed}, ${lastedText(result)}`,
    style.dim(`journal ${journalHash}`),
  )
  return lines
}
