import { type Cost, costText } from '../../harness/cost/cost.ts'
import { printable } from '../../harness/platform/printable.ts'
import type { Verdict } from '../../harness/verdict/decide.ts'
import type { Finding } from '../../harness/verdict/finding.ts'
import type { MarginResult } from '../../harness/verdict/margin.ts'
import type { WaiverRemark } from '../../harness/waivers/waivers.ts'
import { plural } from '../plural.ts'
import { marks, style } from '../style.ts'
import { alertsTold } from './alert-text.ts'
import { fileLines, fixLines } from './fix-text.ts'
import { lastedText } from './lasted.ts'
import { placeText } from './place.ts'
import type { Overview, Reporter, Totals } from './reporter.ts'

/** For people: one line a verdict, and under it what they need to act. */
export function terminalReporter({ quiet }: { quiet: boolean }): Reporter {
  const out = (line = '') => process.stdout.write(`${line}\n`)
  let width = 24
  let servers = 1
  let subject = ''
  let told = ''
  const costs = new Map<string, Cost>()
  const wanted = new Map<string, number>()
  /** Scenarios that are not for a server, by why: told when all others of it are. */
  const skipped = new Map<string, string[]>()
  const tellSkipped = () => {
    for (const [why, names] of skipped) out(style.dim(` ${marks.none} ${names.join(', ')}: ${why}`))
    skipped.clear()
  }
  return {
    begin(overview) {
      width = Math.max(...overview.scenarios.map((s) => s.length), 12) + 1
      servers = overview.servers.length
      if (quiet) return
      for (const line of heading(overview)) out(line)
      out()
    },
    trying(scenario, subject) {
      if (process.stderr.isTTY && !quiet) process.stderr.write(`${CLEAR} … ${scenario} on ${shortName(subject)}`)
    },
    verdict(verdict, tookMs) {
      if (process.stderr.isTTY && !quiet) process.stderr.write(CLEAR)
      if (verdict.subject !== subject) tellSkipped()
      if (servers > 1 && verdict.subject !== subject) {
        if (subject !== '') out()
        out(style.bold(shortName(verdict.subject)))
      }
      subject = verdict.subject
      for (const fix of fixesOf(verdict)) wanted.set(fix, (wanted.get(fix) ?? 0) + 1)
      if (verdict.outcome === 'SKIPPED' && verdict.skipped) {
        skipped.set(verdict.skipped, [...(skipped.get(verdict.skipped) ?? []), verdict.scenario])
        return
      }
      const title = verdict.scenario.padEnd(width)
      out(` ${markOf(verdict)} ${title} ${colour(verdict)(verdict.outcome.padEnd(8))} ${facts(verdict, tookMs)}`)
      const lines = detail(verdict)
      const text = reasonOf(verdict) ?? lines.join('\n')
      if (lines.length > 0 && text === told) {
        out(style.dim('     for the same reason'))
        if (verdict.finding) out(style.dim(`     replay: ${verdict.finding.replay}`))
      } else {
        for (const line of lines) out(`     ${line}`)
        // from the first column on, so that it can be pasted as it is
        for (const file of verdict.finding?.fix?.adds ?? []) for (const line of ['', ...fileLines(file), '']) out(line)
      }
      for (const line of alertsTold(verdict)) out(style.dim(`     ${printable(line)}`))
      told = text
      const cost = costUnderLoad(verdict)
      if (cost && !costs.has(verdict.subject)) costs.set(verdict.subject, cost)
    },
    waivers(remarks) {
      tellSkipped()
      out()
      for (const line of remarks.flatMap(waiverLines)) out(line)
    },
    end(totals) {
      tellSkipped()
      if (!quiet) {
        out()
        for (const [subject, cost] of costs)
          out(style.dim(`${servers > 1 ? `${shortName(subject)}: ` : ''}${costText(cost)}`))
      }
      out(summary(totals))
      if (!quiet) for (const line of nextLines(wanted)) out(line)
    },
  }
}

/** What would let an INVALID be judged. */
const fixesOf = ({ outcome, invalid }: Verdict): Set<string> =>
  new Set(outcome === 'INVALID' ? invalid.map(({ fix }) => printable(fix)) : [])

const NEXT_MAX = 5

/** What is to be done about INVALIDs, what helps most first: told again where it was told long before. */
function nextLines(wanted: ReadonlyMap<string, number>): string[] {
  const fixes = [...wanted].sort(([, a], [, b]) => b - a).slice(0, NEXT_MAX)
  if (fixes.length === 0) return []
  return ['next, for what is invalid:', ...fixes.map(([fix, count]) => `  ${String(count).padStart(2)} ×  ${fix}`)]
}

/** What a server cost while it answered: of the first trial that had a load. */
const costUnderLoad = ({ trials }: Verdict): Cost | undefined =>
  trials.find(({ cost }) => cost?.perThousandTokens !== undefined)?.cost

/** To the line's begin, and nothing on it. */
const CLEAR = '\r\u001b[K'

function heading({
  name,
  tier,
  seeds,
  servers,
  nodes,
  scenarios,
  assumed,
  notes,
  alerts = [],
  version,
}: Overview): string[] {
  const lines = [
    `${style.bold(`seatrial ${version}`)} · platform ${name} · tier ${tier} · ${seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds[0]}–${seeds.at(-1)}`}`,
    `${plural(servers.length, 'inference server')}${servers.length > 0 ? ` (${servers.join(', ')})` : ''}${nodes ? ` · ${nodes}` : ''} · ${plural(scenarios.length, 'scenario')}`,
  ]
  if (assumed.length > 0)
    lines.push(
      `${style.yellow('assumed')} (give them in seatrial.yaml): ${assumed.map((a) => `${a.name} ${a.value}`).join(' · ')}`,
    )
  for (const note of notes) lines.push(style.dim(`note: ${note}`))
  for (const { what, fix, at } of alerts)
    lines.push(
      `${style.yellow('alert')} ${style.cyan(placeText(at))}  ${printable(what)}`,
      style.dim(`     ${printable(fix)}`),
    )
  return lines
}

function markOf({ outcome }: Verdict): string {
  if (outcome === 'PASS') return style.green(marks.pass)
  if (outcome === 'FAIL' || outcome === 'UNSTABLE') return style.red(marks.fail)
  return outcome === 'SKIPPED' || outcome === 'WAIVED' ? style.dim(marks.none) : style.yellow(marks.unsure)
}

const colour = ({ outcome }: Verdict) =>
  outcome === 'PASS' ? style.green : outcome === 'FAIL' || outcome === 'UNSTABLE' ? style.red : style.yellow

function facts({ trials, margin }: Verdict, tookMs: number): string {
  if (trials.length === 0) return ''
  const longest = trials.reduce((best, one) => (one.simulatedUs > best.simulatedUs ? one : best))
  const time = style.dim(`${lastedText(longest)}  ${(tookMs / 1e3).toFixed(1)}s`)
  return margin ? `${time}   ${marginText(margin)}` : time
}

function marginText({ breaksAtValue, value, triedTo }: MarginResult): string {
  return breaksAtValue === undefined
    ? `holds up to ${triedTo}× the load time (${value})`
    : `breaks above ${breaksAtValue} of loading (${value})`
}

function detail(verdict: Verdict): string[] {
  const lines = verdict.invalid.flatMap(({ code, what, fix }) => [
    `${code} ${printable(what)}`,
    style.dim(printable(fix)),
  ])
  if (verdict.outcome === 'UNSTABLE')
    lines.push(`the seeds disagree: ${verdict.trials.map((t) => `${t.seed} ${t.outcome}`).join(', ')}`)
  if (verdict.otherwise)
    lines.push(
      `tier sim says ${verdict.otherwise}: no fix, breaking point or assumed range was tried (seatrial parity ${verdict.scenario} shows where they part)`,
    )
  if (verdict.waiver) {
    const { reason, owner, expires, outcome } = verdict.waiver
    lines.push(`${outcome} waived by ${owner} until ${expires}: ${reason}`)
  }
  return verdict.finding ? [...lines, ...findingLines(verdict.finding)] : lines
}

function findingLines(finding: Finding): string[] {
  const { what, evidence, source, replay } = finding
  const lines = [style.bold(printable(what))]
  for (const { about, text } of evidence.slice(0, 4)) lines.push(style.dim(printable(`${about}: «${text}»`)))
  if (source) lines.push(`${style.cyan(placeText(source))}  ${printable(source.says)}`)
  const [first, ...more] = fixLines(finding)
  if (first) lines.push(finding.fix ? style.green(first) : first, ...more)
  lines.push(style.dim(`replay: ${replay}`))
  return lines
}

/** What makes two findings the same: cause and place. */
const reasonOf = ({ subject, finding }: Verdict): string | undefined =>
  finding && `${subject} ${finding.cause} ${finding.source?.line}:${finding.source?.column}`

function waiverLines({ what, fix, at }: WaiverRemark): string[] {
  return [
    `${style.yellow('waiver')} ${style.cyan(`${at.file}:${at.line}:${at.column}`)}  ${what}`,
    `     ${style.dim(fix)}`,
  ]
}

function summary({ passed, failed, invalid, skipped, unstable, waived, tookMs }: Totals): string {
  const parts = [
    `${passed} passed`,
    `${failed} failed`,
    ...(waived > 0 ? [`${waived} waived`] : []),
    ...(unstable > 0 ? [`${unstable} unstable`] : []),
    `${invalid} invalid`,
    ...(skipped > 0 ? [`${skipped} not applicable`] : []),
  ]
  return `${style.bold(parts.join(' · '))}   ${(tookMs / 1e3).toFixed(1)} s`
}

const shortName = (key: string): string => key.replace(/^default\//, '')
