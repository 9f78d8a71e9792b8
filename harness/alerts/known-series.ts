import { vllmMetrics } from '../../fixtures/vllm/metrics.ts'
import type { VectorSelector } from '../../sandbox/metrics/promql/ast.ts'
import { parse } from '../../sandbox/metrics/promql/parser.ts'
import type { Target } from '../../sandbox/metrics/scrape/target.ts'
import type { Matcher } from '../../sandbox/metrics/tsdb/matcher.ts'
import type { MonitoringPrometheus } from '../../sandbox/tiers/monitoring-options.ts'
import type { Platform } from '../platform/platform.ts'
import type { Monitoring } from '../platform/roles/autoscaling/monitoring.ts'
import {
  metricsOfServer,
  NAMES_OF_EXPORTER,
  SCRAPE_SERIES,
  type ServerMetrics,
  vllmNamesOfAnyVersion,
} from '../platform/roles/autoscaling/names.ts'
import { namesOf, selectorsOf } from '../platform/roles/autoscaling/query-names.ts'
import { Series } from '../platform/roles/autoscaling/series.ts'
import { type FoundTargets, targetsAt, targetsOf } from '../platform/roles/autoscaling/targets.ts'
import { findVllmServers, type InferenceServerRole, type VllmRecognition } from '../platform/roles/inference-servers.ts'
import { suggest } from '../platform/suggest.ts'
import { type Known, whyNever } from './can-hold.ts'
import { meantBy } from './slips.ts'

const THERE: Known = { kind: 'there' }
const never = (why: string, fix: string): Known => ({ kind: 'never', why, fix })

/** Which series one Prometheus of a platform can have, as far as the manifests tell. */
export class KnownSeries {
  private readonly series: Series
  private readonly servers: readonly {
    readonly role: InferenceServerRole<VllmRecognition>
    readonly metrics: ServerMetrics
  }[]
  private readonly found: FoundTargets
  /** Expressions of recording rules, by what they record. */
  private readonly recorded = new Map<string, string[]>()
  private readonly names: ReadonlySet<string>

  constructor(platform: Platform, monitoring: Monitoring, server: MonitoringPrometheus) {
    const roles = findVllmServers(platform)
    this.series = new Series(platform, roles, {
      ...monitoring,
      options: { ...monitoring.options, prometheus: [server] },
    })
    this.servers = roles.flatMap((role) => {
      const metrics = metricsOfServer(role)
      return metrics ? [{ role, metrics }] : []
    })
    this.found = targetsOf(platform, server)
    for (const { rules } of server.rules)
      for (const rule of rules)
        if (rule.kind === 'recording')
          this.recorded.set(rule.record, [...(this.recorded.get(rule.record) ?? []), rule.expr])
    this.names = new Set([
      ...this.recorded.keys(),
      ...this.servers.flatMap(({ metrics }) => [...metrics.exposed, ...metrics.notSimulated]),
      ...Object.values(NAMES_OF_EXPORTER).flatMap((names) => [...names]),
      ...SCRAPE_SERIES,
    ])
  }

  /** What is known of the series of a selector. Recording rules are followed, each once. */
  of(selector: VectorSelector, seen: ReadonlySet<string> = new Set()): Known {
    const each = namesOf(selector).map((name): Known => {
      if (name.kind === 'exact') return this.ofName(name.name, selector, seen)
      return this.series.whyMissing(name, 0).length === 0
        ? THERE
        : { kind: 'notSimulated', why: 'what they match is not known', name: name.text }
    })
    return (
      each.find(({ kind }) => kind === 'there') ?? each.find(({ kind }) => kind === 'notSimulated') ?? each[0] ?? THERE
    )
  }

  private ofName(name: string, selector: VectorSelector, seen: ReadonlySet<string>): Known {
    const recorded = this.recorded.get(name)
    if (recorded) return seen.has(name) ? THERE : this.ofRecorded(name, recorded, new Set([...seen, name]))
    if (!this.names.has(name) && !vllmNamesOfAnyVersion().has(name)) return this.ofUnknown(name)
    const [missing] = this.series.whyMissing({ kind: 'exact', name }, 0)
    if (!missing) return this.ofLabels(name, selector)
    const isExporters = Object.values(NAMES_OF_EXPORTER).some((names) => names.has(name))
    if (missing.kind === 'notSimulated' || isExporters || this.found.unmodelled.length > 0)
      return { kind: 'notSimulated', why: missing.why, name }
    // the same is true of every series of that server
    if (missing.kind !== 'notExposed') return never(missing.why, missing.fix)
    const why = missing.why.replace(/ it(?=$|;)/, ` ${name}`)
    if (missing.nowCalled) return never(why, `Write ${missing.nowCalled}.`)
    const near = suggest(name, this.exposed())
    return never(near ? `${why}; the nearest there is ${near}` : why, near ? `Write ${near}.` : missing.fix)
  }

  /** It is never there where none of its rules can record anything. */
  private ofRecorded(name: string, exprs: readonly string[], seen: ReadonlySet<string>): Known {
    const parsed = exprs.map((text) => parse(text))
    const is = (selector: VectorSelector): Known => this.of(selector, seen)
    const selectors = parsed.flatMap((expr) => [...selectorsOf(expr)].map(is))
    const unknown = selectors.find(({ kind }) => kind === 'notSimulated')
    if (unknown) return unknown
    const lacking = parsed.map((expr) => whyNever(expr, is))
    if (lacking.some((one) => one.length === 0)) return THERE
    const known = is(lacking[0]![0]!)
    return known.kind === 'never' ? never(`what ${name} is recorded of: ${known.why}`, known.fix) : known
  }

  private ofUnknown(name: string): Known {
    const meant = meantBy(name, this.names)
    return meant
      ? never(`nothing is called ${name}; the nearest there is ${meant}`, `Write ${meant}.`)
      : {
          kind: 'notSimulated',
          why: 'no server, recording rule or exporter that is simulated has what they ask for',
          name,
        }
  }

  /** Names the servers have, as far as they are simulated. */
  private exposed(): string[] {
    return this.servers.flatMap(({ metrics }) => [...metrics.exposed].filter((name) => name.startsWith('vllm:')))
  }

  /** Labels of vLLM's own series are known, and those that discovery gives its targets. */
  private ofLabels(name: string, { matchers }: VectorSelector): Known {
    if (!name.startsWith('vllm:')) return THERE
    const found = this.servers.flatMap(({ role, metrics }) =>
      metrics.exposed.has(name)
        ? targetsAt(this.found, role, metrics.port).map((target) => labelsOf(name, metrics, target))
        : [],
    )
    if (found.length === 0 || found.some((labels) => labels === undefined)) return THERE
    const whys = found.map((labels) => matchers.map((matcher) => whyNot(name, matcher, labels!)).find(Boolean))
    return whys.every((why) => why !== undefined) ? never(whys[0]!, 'Correct the selector.') : THERE
  }
}

/** Values by label; undefined: there is one, and its value is not known before. */
type Labels = ReadonlyMap<string, string | undefined>

/** Labels whose values the manifests tell. */
const TOLD: ReadonlySet<string> = new Set(['job', 'namespace', 'service', 'container', 'endpoint'])

/** Undefined where rules change what is scraped. */
function labelsOf(name: string, { version, modelName }: ServerMetrics, { labels, config }: Target): Labels | undefined {
  if (config.metricRelabel.some(({ action }) => action !== 'keep' && action !== 'drop')) return undefined
  const base = name.replace(/_(total|bucket|count|sum|created)$/, '')
  const families = Object.values(vllmMetrics(version).families)
    .flat()
    .filter((family) => family.name === name || family.name === base)
  if (families.length === 0) return undefined
  const own = families.flatMap((family) => family.labels)
  return new Map<string, string | undefined>([
    ...Object.entries(labels).map(([label, value]) => [label, TOLD.has(label) ? value : undefined] as const),
    ...own.flatMap((label) => [[label, undefined] as const, [`exported_${label}`, undefined] as const]),
    ['le', undefined],
    ...(own.includes('model_name') ? [['model_name', modelName] as const] : []),
  ])
}

function whyNot(name: string, { name: label, type, value, matches }: Matcher, labels: Labels): string | undefined {
  if (label === '__name__') return undefined
  if (!labels.has(label)) {
    if (matches('')) return undefined
    const known = [...labels.keys()].filter((one) => !one.startsWith('exported_'))
    const near = suggest(label, known) ?? known.find((one) => one.startsWith(label))
    return `${name} has no label «${label}»; ${near ? `the nearest it has is ${near}` : `it has ${known.sort().join(', ')}`}`
  }
  const told = labels.get(label)
  return told === undefined || matches(told)
    ? undefined
    : `${name} has ${label}="${told}", which ${label}${type}"${value}" does not match`
}
