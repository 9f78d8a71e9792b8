import { alertLines } from '../../harness/alerts/text.ts'
import type { Verdict } from '../../harness/verdict/decide.ts'

/** What the platform's alerts told, of the trial that a verdict is about: the first that failed, or else the first. */
export function alertsTold({ trials }: Verdict): string[] {
  const { alerts } = trials.find(({ outcome }) => outcome === 'FAIL') ?? trials[0] ?? {}
  return alerts ? alertLines(alerts) : []
}
