import type { Case } from './cases.ts'
import type { Agreement } from './tally.ts'
import type { Got } from './try-case.ts'

/** A case that was tried. */
export interface Done extends Case {
  readonly got: Got
  readonly agreement: Agreement
}

export const count = (done: readonly Done[], agreement: Agreement): number =>
  done.filter((one) => one.agreement === agreement).length

/** What the terminal shows: the counts, and every case that does not agree. */
export function summary(done: readonly Done[]): string {
  const wanted = (expected: Case['expected']) => done.filter((one) => one.expected === expected).length
  return [
    ...odd(done),
    `${done.length} changes of good platforms: ${wanted('PASS')} benign, ${wanted('FAIL')} harmful, ${wanted('untriable')} that leave nothing to try`,
    `${count(done, 'agree')} agree, ${count(done, 'false PASS')} false PASS, ${count(done, 'false FAIL')} false FAIL, ${count(done, 'undecided')} undecided, ${count(done, 'apart')} apart (nothing could be tried)`,
  ].join('\n')
}

/** One line for each case that does not agree: survivors first. */
export const odd = (done: readonly Done[]): string[] =>
  (['false PASS', 'false FAIL', 'undecided'] as const).flatMap((kind) =>
    done
      .filter(({ agreement }) => agreement === kind)
      .map(
        ({ scenario, platform, row, to, expected, got }) =>
          `${kind}: ${scenario}/good/${platform}: ${row.what} → ${to}: expected ${expected} (${row.why}), got ${got.outcome}${got.because && ` ${got.because}`}`,
      ),
  )
