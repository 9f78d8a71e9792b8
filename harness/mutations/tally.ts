import type { Expected } from './row.ts'
import type { Got } from './try-case.ts'

/** How what came compares with what must follow. */
export type Agreement = 'agree' | 'false PASS' | 'false FAIL' | 'undecided' | 'apart'

/**
 * A platform that is refused when it is read counts as one that fails: the user is told before anything runs. `apart`: nothing could be tried, and
 * nothing needed to be.
 */
export function compare(expected: Expected, { outcome, because }: Got): Agreement {
  // a verdict that cannot be explained is none
  if (outcome === 'CRASH' || (outcome === 'FAIL' && because === '')) return 'undecided'
  const failed = outcome === 'FAIL' || outcome === 'REFUSED'
  if (expected === 'untriable') return outcome === 'PASS' ? 'false PASS' : outcome === 'FAIL' ? 'agree' : 'apart'
  if (expected === 'PASS') return outcome === 'PASS' ? 'agree' : failed ? 'false FAIL' : 'undecided'
  return failed ? 'agree' : outcome === 'PASS' ? 'false PASS' : 'undecided'
}
