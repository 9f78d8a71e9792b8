import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Expr } from '../ast.ts'
import { durationMs } from '../literals.ts'
import { parse } from '../parser.ts'
import type { Case, CaseQuery, CaseSeries } from './case.ts'

/**
 * Prometheus' own tests of its engine (promql/promqltest/testdata), without what they expect: the real engine says that. Series of
 * native histograms are left out for both; range queries become instant ones at their steps.
 */
export function upstreamCases(sources: string): Case[] {
  const folder = join(sources, 'promql/promqltest/testdata')
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test'))
    .sort()
    .flatMap((file) => casesOf(file, readFileSync(join(folder, file), 'utf8')))
}

/** A case is what stands between changes of the series. */
function casesOf(file: string, text: string): Case[] {
  const cases: Case[] = []
  let series = new Map<string, CaseSeries>()
  let queries: CaseQuery[] = []
  const close = () => {
    if (queries.length > 0) cases.push({ name: `${file}#${cases.length + 1}`, series: [...series.values()], queries })
    queries = []
  }
  const lines = text.split('\n').map((line) => line.replace(/^\s*#.*/, ''))
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    const load = /^load(?:_with_nhcb)?\s+(\S+)/.exec(line)
    if (/^clear/.test(line)) {
      close()
      series = new Map()
    } else if (load) {
      close()
      for (; /^\s+\S/.test(lines[i + 1] ?? ''); i++) add(series, lines[i + 1]!.trim(), seconds(load[1]!))
    } else queries.push(...queriesOf(line))
  }
  close()
  return cases
}

function queriesOf(line: string): CaseQuery[] {
  const instant = /^eval(?:_\w+)?\s+instant\s+(?:at\s+(\S+))?\s+(.+)$/.exec(line)
  if (instant) return [{ expr: instant[2]!, time: seconds(instant[1] ?? '0') }]
  const range = /^eval(?:_\w+)?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/.exec(line)
  if (!range) return []
  const [start, end, step] = range.slice(1, 4).map(seconds) as [number, number, number]
  const times = Array.from({ length: Math.min(50, Math.floor((end - start) / step) + 1) }, (_, i) => start + i * step)
  return times.map((time) => ({ expr: range[4]!, time }))
}

/** A length of time, in milliseconds. */
function seconds(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const bare = text.replace(/^[-+]/, '')
  return sign * (/^[\d.e]+$/.test(bare) ? Math.round(Number(bare) * 1000) : durationMs(bare))
}

/** `metric{labels} 1 2+3x4 _ stale`. Later loads of a series add to it. */
function add(series: Map<string, CaseSeries>, line: string, stepMs: number): void {
  const split = /^((?:[^{\s]*)(?:\{(?:[^}"'`]|"(?:[^"\\]|\\.)*"|'[^']*'|`[^`]*`)*\})?)\s*(.*)$/.exec(line)
  if (!split || line.includes('{{') || line.includes('@')) return
  const selector = parsed(split[1]!)
  if (selector?.node !== 'vector selector') return
  const labels = Object.fromEntries(selector.matchers.map(({ name, value }) => [name, value]))
  const samples = split[2]!.split(/\s+/).flatMap(expand)
  const points = samples.map((sample, i) => [i * stepMs, sample] as const).filter(([, sample]) => sample !== '_')
  const before = series.get(split[1]!) ?? { labels, times: [], samples: [] }
  const later = points.filter(([time]) => time > (before.times.at(-1) ?? -1))
  series.set(split[1]!, {
    labels,
    times: [...before.times, ...later.map(([time]) => time)],
    samples: [...before.samples, ...later.map(([, sample]) => sample)],
  })
}

/** Undefined for names that only an experimental option of Prometheus' parser takes. */
function parsed(selector: string): Expr | undefined {
  try {
    return parse(selector)
  } catch {
    return undefined
  }
}

function expand(item: string): string[] {
  const counted = /^(_|stale)(?:x(\d+))?$/.exec(item)
  if (counted) return Array(Number(counted[2] ?? 1)).fill(counted[1]!)
  const series = /^([-+]?(?:[\d.]+(?:e[-+]?\d+)?|inf|nan))(?:([-+][\d.]+(?:e[-+]?\d+)?))?(?:x(\d+))?$/i.exec(item)
  if (!series) return []
  const [, start, step, times] = series
  const first = number(start!)
  if (times === undefined) return [text(first)]
  const values: string[] = []
  for (let i = 0, value = first; i <= Number(times); i++, value += Number(step ?? 0)) values.push(text(value))
  return values
}

const number = (word: string): number =>
  /inf/i.test(word)
    ? word.startsWith('-')
      ? Number.NEGATIVE_INFINITY
      : Number.POSITIVE_INFINITY
    : /nan/i.test(word)
      ? Number.NaN
      : Number(word)
const text = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
