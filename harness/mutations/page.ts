import { grammar } from './grammar/index.ts'
import type { Row } from './row.ts'
import { count, type Done, odd } from './summary.ts'

/** docs/reference/mutations.md: the last run's counts, and the grammar with what came of each of its lines. */
export function page(done: readonly Done[], left: readonly string[]): string {
  const scenarios = [...new Set(done.map(({ scenario }) => scenario))]
  return [
    '# Mutations',
    '',
    'Written by `npm run mutate -- --write`; edits are lost.',
    '',
    'The good sample platforms are changed in one place each, and the verdict must follow. What must follow comes from arithmetic and from',
    'what Kubernetes and vLLM document, written beside each change below and computed from the manifests alone: nothing that judges platforms',
    'is asked. Changes too near to a limit to say are left out. Each is tried with one seed. A platform refused when it is read counts as one',
    'that fails; where nothing can be tried (no request reaches a pod) the case is counted apart, unless it passed.',
    '',
    '| scenario | cases | benign | harmful | agree | false PASS | false FAIL | undecided | apart |',
    '|---|---|---|---|---|---|---|---|---|',
    ...scenarios.map((slug) =>
      counts(
        slug,
        done.filter(({ scenario }) => scenario === slug),
      ),
    ),
    counts('**all**', done),
    '',
    ...(left.length > 0 ? [`Left out, as they do not pass unchanged: ${left.join(', ')}.`, ''] : []),
    '## Survivors and other disagreements',
    '',
    ...(odd(done).length > 0 ? odd(done).map((line) => `- ${cell(line)}`) : ['None.']),
    '',
    '## Grammar',
    '',
    '| change | to | in | must be | because | came |',
    '|---|---|---|---|---|---|',
    ...grammar.flatMap((row) =>
      line(
        row,
        done.filter((one) => same(one.row, row)),
      ),
    ),
    '',
  ].join('\n')
}

const same = (a: Row, b: Row): boolean => a === b

function counts(name: string, done: readonly Done[]): string {
  const wanted = (expected: string) => done.filter((one) => one.expected === expected).length
  const agreements = (['agree', 'false PASS', 'false FAIL', 'undecided', 'apart'] as const).map((a) => count(done, a))
  return `| ${[name, done.length, wanted('PASS'), wanted('FAIL'), ...agreements].join(' | ')} |`
}

function line(row: Row, done: readonly Done[]): string[] {
  if (done.length === 0) return []
  const places = row.in === 'every' ? `every${row.except ? ` but ${row.except.join(', ')}` : ''}` : row.in.join(', ')
  const values = [...new Set(done.map(({ to }) => `\`${to}\``))].join(' ')
  const tallied = (of: (one: Done) => string) =>
    [...Map.groupBy(done, of)].map(([key, all]) => `${key} ×${all.length}`).join(', ')
  const came = tallied(({ got }) => (got.outcome === 'FAIL' ? `FAIL ${got.because}` : got.outcome))
  return [`| ${[row.what, values, places, tallied(({ expected }) => expected), row.why, came].map(cell).join(' | ')} |`]
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
