import { appendFileSync } from 'node:fs'
import type { Verdict } from '../../harness/verdict/decide.ts'
import { alertsTold } from './alert-text.ts'
import { fileLines, fixLines } from './fix-text.ts'
import { remarkOn } from './place.ts'
import type { Overview, Reporter, Totals } from './reporter.ts'

/**
 * For GitHub Actions: an annotation at the line of each finding, and a table in the step summary where there is one
 * (`GITHUB_STEP_SUMMARY`). Follows the workflow commands of GitHub's documentation.
 */
export function githubReporter(): Reporter {
  let overview: Overview | undefined
  const verdicts: Verdict[] = []
  return {
    begin: (given) => {
      overview = given
      for (const { what, fix, at } of given.alerts ?? [])
        process.stdout.write(
          `${command('warning', { file: at.file, line: at.line, col: at.column, title: 'alert' }, `${what}\n${fix}`)}\n`,
        )
    },
    verdict(verdict) {
      verdicts.push(verdict)
      for (const line of annotations(verdict)) process.stdout.write(`${line}\n`)
    },
    waivers(remarks) {
      for (const { what, fix, at } of remarks)
        process.stdout.write(
          `${command('warning', { file: at.file, line: at.line, col: at.column, title: 'waiver' }, `${what}\n${fix}`)}\n`,
        )
    },
    end(totals) {
      const file = process.env['GITHUB_STEP_SUMMARY']
      if (file) appendFileSync(file, summary(overview!, verdicts, totals))
    },
  }
}

function annotations(verdict: Verdict): string[] {
  const { scenario, subject, outcome, finding, invalid, trials, waiver } = verdict
  const title = `${scenario} on ${subject}: ${outcome}`
  if (finding) {
    const { what, source, fix, replay } = finding
    // a line of rendered text is no line of a file in the pull request
    const at = source && !source.rendered ? { file: source.file, line: source.line, col: source.column } : {}
    const text = [
      what,
      ...(source ? [`${source.says}${remarkOn(source)}`] : []),
      ...(waiver ? [`waived by ${waiver.owner} until ${waiver.expires}: ${waiver.reason}`] : []),
      ...alertsTold(verdict),
      ...fixLines(finding),
      ...(fix?.adds ?? []).flatMap(fileLines),
      `replay: ${replay}`,
    ]
    return [command(waiver ? 'notice' : 'error', { ...at, title }, text.join('\n'))]
  }
  if (outcome === 'UNSTABLE')
    return [
      command('error', { title }, `the seeds disagree: ${trials.map((t) => `${t.seed} ${t.outcome}`).join(', ')}`),
    ]
  return outcome === 'INVALID' ? invalid.map(({ what, fix }) => command('warning', { title }, `${what}\n${fix}`)) : []
}

function command(
  name: 'error' | 'warning' | 'notice',
  properties: Readonly<Record<string, string | number | undefined>>,
  message: string,
): string {
  const given = Object.entries(properties).filter(([, value]) => value !== undefined)
  const pairs = given.map(([key, value]) => `${key}=${escapedProperty(String(value))}`)
  return `::${name} ${pairs.join(',')}::${escapedData(message)}`
}

const escapedData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const escapedProperty = (text: string): string => escapedData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

const MARKS: Record<Verdict['outcome'], string> = {
  PASS: '✅',
  FAIL: '❌',
  UNSTABLE: '❌',
  INVALID: '⚠️',
  SKIPPED: '⏭️',
  WAIVED: '🙈',
}

function summary({ name, version, nodes, assumed }: Overview, verdicts: readonly Verdict[], totals: Totals): string {
  const rows = verdicts.map((verdict) => {
    const { scenario, subject, outcome, finding, invalid, skipped, margin } = verdict
    const place = finding?.source ? `${code(`${finding.source.file}:${finding.source.line}`)} ` : ''
    const fix = finding?.fix
      ? ` Fix, re-run to PASS: ${code(finding.fix.says)}`
      : finding?.byHand
        ? ` By hand, not re-run: ${cell(finding.byHand.says)}`
        : ''
    const breaks = margin?.breaksAtValue ? `breaks above ${margin.breaksAtValue} of loading (${margin.value})` : ''
    const why = finding ? `${place}${cell(finding.what)}.${fix}` : cell(invalid[0]?.what ?? skipped ?? breaks)
    return `| ${MARKS[outcome]} ${outcome} | ${cell(scenario)} | ${cell(subject)} | ${why} |`
  })
  const { passed, failed, invalid, unstable, waived } = totals
  const files = verdicts.flatMap(({ finding }) => finding?.fix?.adds ?? [])
  return [
    `### seatrial ${version}: ${cell(name)}`,
    '',
    `${passed} passed · ${failed} failed${waived > 0 ? ` · ${waived} waived` : ''}${unstable > 0 ? ` · ${unstable} unstable` : ''} · ${invalid} invalid · ${cell(nodes)}`,
    ...(assumed.length > 0 ? ['', `Assumed: ${cell(assumed.map((a) => `${a.name} ${a.value}`).join(', '))}`] : []),
    '',
    '| | scenario | server | |',
    '|---|---|---|---|',
    ...rows,
    ...files.flatMap((file) => fenced(fileLines(file))),
    '',
    '',
  ].join('\n')
}

/** Text that Markdown takes for text: no link, image, mention, element or cell begins in it. */
const cell = (text: string): string =>
  text
    .replaceAll(/[\\`*_[\]<>|~]/g, (c) => (c === '<' ? '&lt;' : `\\${c}`))
    .replaceAll('@', '&#64;')
    .replaceAll('\n', ' ')

/** A span of code in a cell. Within it only the bar must be escaped, and its fence is longer than any run of backticks in it. */
function code(text: string): string {
  const fence = '`'.repeat(longestRun(text) + 1)
  const pad = /^`|`$/.test(text) ? ' ' : ''
  return `${fence}${pad}${text.replaceAll('|', '\\|').replaceAll('\n', ' ')}${pad}${fence}`
}

function fenced(lines: readonly string[]): string[] {
  const fence = '`'.repeat(Math.max(3, longestRun(lines.join('\n')) + 1))
  return ['', `${fence}yaml`, ...lines, fence]
}

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
