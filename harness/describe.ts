import type { CheckCall, Expectation } from './expectations/check.ts'
import { checks } from './expectations/index.ts'
import { faults } from './faults/index.ts'
import type { TimelineEntry } from './scenario.ts'

/** `+2m: a new image of the server is rolled out`. */
export const entryText = ({ at, do: call, for: lasts, stays }: TimelineEntry): string =>
  `${at === 'start' ? 'before that' : `+${at}`}: ${faults.get(call.fault)!.describe(call)}${lasts ? `, for ${lasts}` : stays ? ', for good' : ''}`

/** `within settle: the rollout is complete`. */
export function expectationText(expectation: Expectation): string {
  const text = (call: CheckCall) => checks.get(call.check)!.describe(call)
  if ('never' in expectation) return `never: ${text(expectation.never)}`
  if ('always' in expectation) return `always: ${text(expectation.always)}`
  return `within ${expectation.within}: ${text(expectation.goal)}`
}
