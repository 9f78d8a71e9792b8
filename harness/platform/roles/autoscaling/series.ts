import type { RuleGroup } from '../../../../sandbox/metrics/rules/rule.ts'
import { relabel } from '../../../../sandbox/metrics/scrape/relabel.ts'
import type { Target } from '../../../../sandbox/metrics/scrape/target.ts'
import { parsePath } from '../../path.ts'
import type { Platform } from '../../platform.ts'
import type { InferenceServerRole, VllmRecognition } from '../inference-servers.ts'
import { podTemplatesOf } from '../pod-templates.ts'
import type { Said } from './findings.ts'
import type { ExporterName } from './jobs.ts'
import { type Miss, missedBy, ruleMissed } from './misses.ts'
import type { Monitoring } from './monitoring.ts'
import {
  metricsOfServer,
  NAMES_OF_EXPORTER,
  SCRAPE_SERIES,
  type ServerMetrics,
  vllmNamesOfAnyVersion,
} from './names.ts'
import { namesIn, type SelectedName } from './query-names.ts'
import { type FoundTargets, targetsAt, targetsOf } from './targets.ts'

/** Which series the Prometheus servers of a platform can have, and why they lack others. */
export class Series {
  private readonly platform: Platform
  private readonly monitoring: Monitoring
  /** The judged one first. */
  private readonly servers: readonly {
    readonly role: InferenceServerRole<VllmRecognition>
    readonly metrics: ServerMetrics
  }[]
  private readonly found: readonly FoundTargets[]

  constructor(platform: Platform, servers: readonly InferenceServerRole<VllmRecognition>[], monitoring: Monitoring) {
    this.platform = platform
    this.monitoring = monitoring
    this.servers = servers.flatMap((role) => {
      const metrics = metricsOfServer(role)
      return metrics ? [{ role, metrics }] : []
    })
    this.found = foundIn(platform, monitoring)
  }

  /** Names that may exist somewhere: what rules with patterns are held against. */
  *known(): Generator<string> {
    for (const { metrics } of this.servers) yield* metrics.exposed
    for (const exporter of this.monitoring.exporters) yield* NAMES_OF_EXPORTER[exporter]
    for (const { rules } of this.monitoring.options.prometheus)
      for (const group of rules) for (const rule of group.rules) if (rule.kind === 'recording') yield rule.record
  }

  /** Why a Prometheus has no series of a name; empty where it has, as far as the manifests tell. */
  whyMissing(selected: SelectedName, prometheus: number, seen: ReadonlySet<string> = new Set()): Said[] {
    if (selected.kind === 'pattern') return this.whyNoneMatches(selected, prometheus)
    const { name } = selected
    if (seen.has(name)) return []
    const recorded = recordingOf(this.monitoring.options.prometheus[prometheus]!.rules, name)
    if (recorded.length > 0) {
      const deeper = new Set([...seen, name])
      return recorded.flatMap((expr) => namesIn(expr).flatMap((one) => this.whyMissing(one, prometheus, deeper)))
    }
    const exporter = exporterOf(name)
    if (exporter) return this.ofExporter(exporter, name, prometheus)
    if (SCRAPE_SERIES.has(name)) return this.found[prometheus]!.targets.length > 0 ? [] : [nobodyScrapes(name)]
    return this.ofServers(name, prometheus)
  }

  private ofServers(name: string, prometheus: number): Said[] {
    const exposing = this.servers.filter(({ metrics }) => metrics.exposed.has(name))
    if (exposing.length > 0) {
      const whys = exposing.map(({ role, metrics }) => this.whyNotScraped(name, role, metrics, prometheus))
      return whys.some((why) => why === undefined) ? [] : [whys[0]!]
    }
    const own = this.servers[0]
    if (own?.metrics.notSimulated.has(name))
      return [
        {
          kind: 'notSimulated',
          what: name,
          why: `vLLM ${own.metrics.version} has it, with some options, and the simulated server not`,
          fix: 'Judge the platform on another tier, or scale on another metric.',
        },
      ]
    if (own && vllmNamesOfAnyVersion().has(name)) {
      const nowCalled = renamed(name, own.metrics.exposed)
      return [
        {
          kind: 'notExposed',
          what: name,
          why: `vLLM ${own.metrics.version} does not expose it${nowCalled ? `; it has ${nowCalled}` : ''}`,
          fix: `Ask for a metric of vLLM ${own.metrics.version}, or pin the version that has this one.`,
          ...(nowCalled && { nowCalled }),
        },
      ]
    }
    const missed = ruleMissed(this.platform, name, this.monitoring.options.prometheus[prometheus]!.source)
    if (missed) return [miswired(name, missed)]
    return [
      {
        kind: 'undeclared',
        what: name,
        why: 'no vLLM server, recording rule or known exporter of the platform has a metric of that name',
        fix: 'Bring the PrometheusRule that records it, or scale on a metric of the server.',
      },
    ]
  }

  private whyNotScraped(
    name: string,
    role: InferenceServerRole<VllmRecognition>,
    { port }: ServerMetrics,
    prometheus: number,
  ): Said | undefined {
    const found = this.found[prometheus]!
    const targets = targetsAt(found, role, port)
    if (targets.some((target) => keeps(target, name))) return undefined
    if (targets.length > 0)
      return {
        kind: 'undeclared',
        what: name,
        why: `metric relabelling of job ${targets[0]!.config.jobName} drops it`,
        fix: 'Keep the name in its metricRelabelings.',
      }
    const unread = found.unmodelled[0]
    const why = unread ? `; ${unread.where}: ${unread.what} is not simulated` : ''
    const miss = missedBy(this.platform, role, this.monitoring.options.prometheus[prometheus]!.source)
    if (miss) return miswired(name, miss)
    return { ...nobodyScrapes(name), why: `nothing scrapes ${role.id} at port ${port}${why}` }
  }

  private ofExporter(exporter: ExporterName, name: string, prometheus: number): Said[] {
    if (this.monitoring.exporters.has(exporter)) return []
    if (exporter === 'kube-state-metrics' && this.scrapesStateMetrics(prometheus)) return []
    return [
      {
        kind: 'undeclared',
        what: name,
        why: `it is of ${exporter === 'cadvisor' ? 'the kubelets (cAdvisor)' : exporter}, which nothing says is scraped`,
        fix: `Write metrics: { prometheus: { exporters: [${exporter}] } } in seatrial.yaml where the cluster has it.`,
      },
    ]
  }

  private scrapesStateMetrics(prometheus: number): boolean {
    const scraped = new Set(this.found[prometheus]!.targets.map(({ podKey }) => podKey))
    return this.platform.objects.some(
      (object) =>
        podTemplatesOf(object).some(({ spec }) =>
          spec.containers.some(({ image }) => /kube-state-metrics/.test(String(image))),
        ) && [...scraped].some((key) => key?.endsWith(`/${object.id}`)),
    )
  }

  private whyNoneMatches(pattern: SelectedName & { kind: 'pattern' }, prometheus: number): Said[] {
    const known = [...new Set(this.known())].filter((name) => pattern.matches(name))
    const reasons = known.map((name) => this.whyMissing({ kind: 'exact', name }, prometheus))
    if (reasons.some((reason) => reason.length === 0)) return []
    return reasons[0] ?? [{ ...nobodyScrapes(pattern.text), why: 'no metric that is scraped has a name it matches' }]
  }
}

const known = new WeakMap<Monitoring, { readonly platform: Platform; readonly found: readonly FoundTargets[] }>()

/** What each Prometheus scrapes; the same for all servers of a platform. */
function foundIn(platform: Platform, monitoring: Monitoring): readonly FoundTargets[] {
  const before = known.get(monitoring)
  if (before?.platform === platform) return before.found
  const found = monitoring.options.prometheus.map((one) => targetsOf(platform, one))
  known.set(monitoring, { platform, found })
  return found
}

const miswired = (name: string, { object, path, says, mend }: Miss): Said => ({
  kind: 'miswired',
  what: name,
  why: says,
  fix: mend?.says ?? 'Correct it.',
  object,
  path: parsePath(path),
  ...(mend ? { mend } : {}),
})

/** The name it has now, where only its first word is another: `gpu_cache_usage_perc`, `kv_cache_usage_perc`. */
function renamed(name: string, exposed: Iterable<string>): string | undefined {
  const rest = (text: string) => /^vllm:[a-z]+_(.*)$/.exec(text)?.[1]
  return [...exposed].find((one) => rest(one) !== undefined && rest(one) === rest(name))
}

const nobodyScrapes = (name: string): Said => ({
  kind: 'undeclared',
  what: name,
  why: 'nothing is scraped',
  fix: 'Bring a ServiceMonitor or PodMonitor that selects it, annotate its pods (prometheus.io/scrape), or write metrics.prometheus.scrapes in seatrial.yaml.',
})

const keeps = ({ labels, config }: Target, name: string): boolean =>
  relabel(new Map([...Object.entries(labels), ['__name__', name]]), config.metricRelabel)

const exporterOf = (name: string): ExporterName | undefined =>
  (Object.keys(NAMES_OF_EXPORTER) as ExporterName[]).find((exporter) => NAMES_OF_EXPORTER[exporter].has(name))

const recordingOf = (groups: readonly RuleGroup[], name: string): string[] =>
  groups.flatMap(({ rules }) =>
    rules.flatMap((rule) => (rule.kind === 'recording' && rule.record === name ? [rule.expr] : [])),
  )
