import type { Verdict } from '../../harness/verdict/decide.ts'
import { alertsTold } from './alert-text.ts'
import { fileLines, fixLines } from './fix-text.ts'
import { placeText } from './place.ts'
import type { Overview, Reporter } from './reporter.ts'

/**
 * For CI systems: JUnit XML on stdout, a suite for each inference server and a case for each scenario. FAIL and UNSTABLE are failures, INVALID is an
 * error (nothing was judged), SKIPPED is skipped.
 */
export function junitReporter(): Reporter {
  let overview: Overview | undefined
  const cases: { verdict: Verdict; tookMs: number }[] = []
  return {
    begin: (given) => {
      overview = given
    },
    verdict: (verdict, tookMs) => cases.push({ verdict, tookMs }),
    end() {
      const suites = [...new Set(cases.map(({ verdict }) => verdict.subject))]
      const lines = suites.flatMap((subject) =>
        suite(
          subject,
          cases.filter(({ verdict }) => verdict.subject === subject),
        ),
      )
      const name = escaped(`seatrial ${overview?.name ?? ''}`.trim())
      process.stdout.write(
        `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${name}">\n${lines.join('\n')}\n</testsuites>\n`,
      )
    },
  }
}

function suite(subject: string, cases: readonly { verdict: Verdict; tookMs: number }[]): string[] {
  const count = (...outcomes: string[]) => cases.filter(({ verdict }) => outcomes.includes(verdict.outcome)).length
  const seconds = cases.reduce((sum, { tookMs }) => sum + tookMs, 0) / 1e3
  return [
    `  <testsuite name="${escaped(subject)}" tests="${cases.length}" failures="${count('FAIL', 'UNSTABLE')}" errors="${count('INVALID')}" skipped="${count('SKIPPED', 'WAIVED')}" time="${seconds.toFixed(3)}">`,
    ...cases.flatMap(({ verdict, tookMs }) => testCase(verdict, tookMs)),
    '  </testsuite>',
  ]
}

function testCase(verdict: Verdict, tookMs: number): string[] {
  const { scenario, subject, outcome, finding, invalid, skipped, waiver } = verdict
  const file =
    finding?.source && !finding.source.rendered
      ? ` file="${escaped(finding.source.file)}" line="${finding.source.line}"`
      : ''
  const open = `    <testcase name="${escaped(scenario)}" classname="${escaped(subject)}" time="${(tookMs / 1e3).toFixed(3)}"${file}`
  if (outcome === 'PASS') return [`${open}/>`]
  if (waiver)
    return [
      `${open}>`,
      `      <skipped message="${escaped(`${waiver.outcome} waived by ${waiver.owner} until ${waiver.expires}: ${waiver.reason}`)}"/>`,
      '    </testcase>',
    ]
  if (outcome === 'SKIPPED')
    return [`${open}>`, `      <skipped message="${escaped(skipped ?? '')}"/>`, '    </testcase>']
  const element = outcome === 'INVALID' ? 'error' : 'failure'
  const type = finding?.cause ?? invalid[0]?.code ?? outcome
  const message = finding?.what ?? invalid[0]?.what ?? 'the seeds disagree'
  return [
    `${open}>`,
    `      <${element} type="${escaped(type)}" message="${escaped(message)}">${escaped(textOf(verdict))}</${element}>`,
    '    </testcase>',
  ]
}

/** All that a reader of the report needs: evidence, place, fix, replay. */
function textOf(verdict: Verdict): string {
  const { finding, invalid, trials, outcome } = verdict
  const seeds = outcome === 'UNSTABLE' ? [`seeds: ${trials.map((t) => `${t.seed} ${t.outcome}`).join(', ')}`] : []
  if (!finding) {
    return [...invalid.flatMap(({ what, fix }) => [what, fix]), ...seeds].join('\n')
  }
  const { evidence, source, fix, replay } = finding
  return [
    ...seeds,
    ...evidence.map(({ about, text }) => `${about}: ${text}`),
    ...(source ? [`${placeText(source)} ${source.says}`] : []),
    ...alertsTold(verdict),
    ...fixLines(finding),
    ...(fix?.adds ?? []).flatMap(fileLines),
    `replay: ${replay}`,
  ].join('\n')
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;' }

/** For attributes and text; characters XML 1.0 does not allow are written as escapes. */
const escaped = (text: string): string =>
  text
    .replaceAll(
      /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu,
      (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`,
    )
    .replaceAll(/[&<>"\n]/g, (c) => ENTITIES[c]!)
