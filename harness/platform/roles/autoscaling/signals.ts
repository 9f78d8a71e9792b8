import { unsupportedTriggers } from '../../../../sandbox/autoscaling/keda/unsupported.ts'
import type { ScaledObject } from '../../../../sandbox/kube/objects.ts'
import { checkExpression } from '../../../../sandbox/metrics/promql/engine.ts'
import { QueryError } from '../../../../sandbox/metrics/querier.ts'
import { parsePath, valueAt } from '../../path.ts'
import type { Platform } from '../../platform.ts'
import { findVllmServers, type InferenceServerRole, type VllmRecognition } from '../inference-servers.ts'
import { isMap } from '../pod-templates.ts'
import { adapterMetric } from './adapter-metrics.ts'
import { cloudOfAddress, cloudOfMetric, cloudOfTrigger } from './clouds.ts'
import { ambiguityOf, findingAt, type Said, type SignalFinding } from './findings.ts'
import { describeMonitoring, type Monitoring } from './monitoring.ts'
import { namesIn, type SelectedName } from './query-names.ts'
import { type Scaling, type Signal, scalingsOf } from './scaling.ts'
import { Series } from './series.ts'

/** The findings that keep a verdict from being given. */
export const signalBlockers = (
  platform: Platform,
  server: InferenceServerRole<VllmRecognition>,
  scaling: Scaling,
  monitoring?: Monitoring,
): SignalFinding[] => signalFindings(platform, server, scaling, monitoring).filter(({ blocks }) => blocks)

/**
 * What is wrong with the signals of an autoscaler, or cannot be simulated. Metrics reach it only by what the platform declares: adapter
 * rules, KEDA triggers, monitors, annotations; metrics-server is taken on trust unless seatrial.yaml says there is none.
 */
export function signalFindings(
  platform: Platform,
  server: InferenceServerRole<VllmRecognition>,
  scaling: Scaling,
  monitoring: Monitoring = describeMonitoring(platform),
): SignalFinding[] {
  const judge = new Judge(platform, server, monitoring)
  const said = scaling.signals.flatMap((signal) =>
    judge.of(signal).map((one) => findingAt(scaling, pathOf(signal), one)),
  )
  const problems = monitoring.problems.map((problem) =>
    findingAt(scaling, [], {
      kind: problem.unsupported ? 'unsupported' : 'undeclared',
      what: problem.object?.id ?? 'metrics.adapter',
      why: problem.message,
      fix: problem.unsupported ? 'Leave the rule out, or judge the platform on another tier.' : 'Correct it.',
    }),
  )
  return unique([...said, ...refusedByKeda(scaling), ...problems, ...ambiguityOf(scalingsOf(platform, server))])
}

const pathOf = (signal: Signal) => (signal.kind === 'prometheus' ? signal.queryPath : signal.path)

const unique = (findings: readonly SignalFinding[]): SignalFinding[] => [
  ...new Map(findings.map((one) => [`${one.kind} ${one.what} ${one.object.id} ${one.path.join('.')}`, one])).values(),
]

/** Fields of triggers, formulas. Types of triggers are judged as signals. */
function refusedByKeda(scaling: Scaling): SignalFinding[] {
  if (scaling.kind !== 'keda') return []
  const { manifest } = scaling.object
  const triggers = valueAt(manifest, 'spec.triggers')
  const formula = valueAt(manifest, 'spec.advanced.scalingModifiers.formula') ?? ''
  if (!Array.isArray(triggers) || !triggers.every(isMap) || typeof formula !== 'string') return []
  return unsupportedTriggers(manifest as unknown as ScaledObject)
    .map((text) => ({ text, at: /\(([^()]*)\)$/.exec(text)?.[1] ?? 'spec' }))
    .filter(({ text }) => / with | in a formula/.test(text))
    .map(({ text, at }) =>
      findingAt(scaling, parsePath(at), {
        kind: 'unsupported',
        what: text.replace(/ \([^()]*\)$/, ''),
        why: 'it is not simulated',
        fix: 'Leave it out of what is judged, or judge the platform on another tier.',
      }),
    )
}

class Judge {
  private readonly monitoring: Monitoring
  private readonly platform: Platform
  private readonly series: Series

  constructor(platform: Platform, server: InferenceServerRole<VllmRecognition>, monitoring: Monitoring) {
    this.monitoring = monitoring
    this.platform = platform
    const others = findVllmServers(platform).filter((one) => one.object !== server.object)
    this.series = new Series(platform, [server, ...others], monitoring)
  }

  of(signal: Signal): Said[] {
    switch (signal.kind) {
      case 'resource':
        return this.resource(signal.resource)
      case 'prometheus':
        return this.query(signal)
      case 'pods':
      case 'object':
      case 'external':
        return this.adapted(signal.kind, signal.metric)
      case 'cron':
        return []
      case 'other':
        return [otherTrigger(signal.type)]
    }
  }

  private resource(resource: string): Said[] {
    // anything else metrics-server has not: the HPA says so itself
    if (this.monitoring.options.metricsServer || !['cpu', 'memory'].includes(resource)) return []
    return [
      {
        kind: 'undeclared',
        what: `resource ${resource}`,
        why: 'seatrial.yaml says that no metrics-server runs, so nobody serves metrics.k8s.io',
        fix: 'Set metrics.metricsServer: true once it is installed.',
      },
    ]
  }

  private query({ serverAddress, query, path }: Signal & { kind: 'prometheus' }): Said[] {
    const refused = whyRefused(query)
    if (refused === 'wrong') return []
    if (refused) return [refused]
    const { prometheus } = this.monitoring.options
    const cloud = cloudOfAddress(serverAddress)
    const at = { path: [...path, 'metadata', 'serverAddress'], what: serverAddress || 'serverAddress' }
    if (cloud && this.platform.config?.metrics?.prometheus === undefined)
      return [{ ...at, kind: 'unsupported', why: `${cloud.name} is not simulated`, fix: `${sentence(cloud.instead)}.` }]
    const found = prometheus.findIndex(({ addresses }) => addresses === 'any' || addresses.includes(serverAddress))
    if (found < 0) return [{ ...at, kind: 'undeclared', ...NO_PROMETHEUS }]
    return namesIn(query).flatMap((name) => this.series.whyMissing(name, found))
  }

  private adapted(kind: 'pods' | 'object' | 'external', metric: string): Said[] {
    const { adapter, prometheus } = this.monitoring.options
    const rules = (kind === 'external' ? adapter?.config.externalRules : adapter?.config.rules) ?? []
    const metrics = adapterMetric(rules, metric, this.series.known())
    if (metrics.length === 0) return [this.unnamed(kind, metric)]
    if (prometheus.length === 0) return [{ kind: 'undeclared', what: metric, ...NO_PROMETHEUS }]
    const refused = metrics.flatMap(({ rule }) => this.whyRuleRefused(rule.metricsQuery, metric))
    if (refused.length > 0) return refused
    // one rule that works is enough
    const missing = metrics.map(({ queried }) =>
      queried.flatMap((name: SelectedName) => this.series.whyMissing(name, 0)),
    )
    return missing.find((one) => one.length === 0) ?? missing[0]!
  }

  private whyRuleRefused(template: string, metric: string): Said[] {
    const filled = template
      .replaceAll(/<<\s*\.Series\s*>>/g, 'x')
      .replaceAll(/<<\s*\.LabelMatchers\s*>>/g, 'x="y"')
      .replaceAll(/<<\s*\.GroupBy\s*>>/g, 'x')
    if (filled.includes('<<')) return []
    const refused = whyRefused(filled)
    return refused && refused !== 'wrong' ? [{ ...refused, what: `${metric}: ${refused.what}` }] : []
  }

  private unnamed(kind: 'pods' | 'object' | 'external', metric: string): Said {
    const cloud = cloudOfMetric(metric)
    if (cloud)
      return {
        kind: 'unsupported',
        what: metric,
        why: `${cloud.name} is not simulated`,
        fix: `${sentence(cloud.instead)}.`,
      }
    const list = kind === 'external' ? 'externalRules' : 'rules'
    const api = kind === 'external' ? 'external.metrics.k8s.io' : 'custom.metrics.k8s.io'
    return {
      kind: 'undeclared',
      what: metric,
      why: this.monitoring.options.adapter
        ? `no rule of prometheus-adapter (${list}) gives a metric of ${api} that name`
        : `nothing among the manifests serves ${api}: neither prometheus-adapter's config nor metrics.adapter of seatrial.yaml`,
      fix: `Bring the ConfigMap of prometheus-adapter, or write the rule under metrics.adapter.${list} of seatrial.yaml.`,
    }
  }
}

const NO_PROMETHEUS = {
  why: 'neither manifests nor seatrial.yaml tell of a Prometheus there, nor what it scrapes',
  fix: 'Bring its ServiceMonitor, PodMonitor or prometheus.yml, or write metrics.prometheus (annotations, scrapes, exporters) in seatrial.yaml.',
} as const

/** Why an expression cannot be evaluated here; `wrong` where Prometheus refuses it too. */
function whyRefused(query: string): Said | 'wrong' | undefined {
  try {
    checkExpression(query)
    return undefined
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    if (error.code !== 'PROMQL_UNSUPPORTED') return 'wrong'
    return {
      kind: 'unsupported',
      what: query,
      why: error.message,
      fix: 'Write the query without it, or judge the platform on another tier.',
    }
  }
}

function otherTrigger(type: string): Said {
  const cloud = cloudOfTrigger(type)
  return {
    kind: 'unsupported',
    what: `trigger ${type}`,
    why: cloud ? `metrics of ${cloud} are not simulated` : 'it is not simulated',
    fix: 'Judge the platform with a prometheus, cpu, memory or cron trigger in its place, or on another tier.',
  }
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
