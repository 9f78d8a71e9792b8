import { parse } from '../../sandbox/metrics/promql/parser.ts'
import type { AlertingRule, RuleGroup } from '../../sandbox/metrics/rules/rule.ts'
import type { MonitoringPrometheus } from '../../sandbox/tiers/monitoring-options.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { Position } from '../platform/errors.ts'
import { type Platform, sourceOf } from '../platform/platform.ts'
import { readOnce } from '../platform/read-once.ts'
import { describeMonitoring, type Monitoring } from '../platform/roles/autoscaling/monitoring.ts'
import { selectorsOf } from '../platform/roles/autoscaling/query-names.ts'
import { isRule, neededRules } from '../platform/roles/autoscaling/rules.ts'
import { wantedByRules } from '../platform/roles/autoscaling/wanted.ts'
import { whyNever } from './can-hold.ts'
import { KnownSeries } from './known-series.ts'
import { placeOf } from './place.ts'
import { alertsIn, alertsOf, recordingsOf, type WrittenAlert } from './rules.ts'
import { shortList } from './short-list.ts'

/** The alerts of a platform: which are evaluated in a trial, and what is wrong with others. */
export interface AlertSurvey {
  readonly alerts: readonly SurveyedAlert[]
  /** Alerts that can never fire. */
  readonly remarks: readonly AlertRemark[]
  /** The Prometheus servers that raise those that are evaluated. */
  readonly alerting: readonly MonitoringPrometheus[]
}

export interface SurveyedAlert {
  readonly alert: string
  readonly severity?: string
  /** How long its expression must hold. */
  readonly forUs: Us
  readonly left?: Left
}

/** Why an alert is not evaluated: it can never fire, what it rests on is not simulated, or it cannot be read. */
export interface Left {
  readonly kind: 'never' | 'notSimulated' | 'unread'
  readonly why: string
  /** The series it asks for, where that is what is not simulated. */
  readonly name?: string
}

/** What is wrong with an alert, what to do, and where. */
export interface AlertRemark {
  readonly what: string
  readonly fix: string
  readonly at: Position
}

/** Reads the alerting rules of every Prometheus the platform tells of. */
export const surveyAlerts = readOnce(surveyOfPlatform)

function surveyOfPlatform(platform: Platform): AlertSurvey {
  const rules = platform.objects.filter((object) => isRule(object) || object.manifest.kind === 'ConfigMap')
  if (rules.length === 0) return { alerts: [], remarks: [], alerting: [] }
  const monitoring = describeMonitoring(platform)
  const each = monitoring.servers.map((server) => ofServer(platform, monitoring, server))
  const nobodys = each.length > 0 ? [] : platform.objects.filter(isRule).flatMap(alertsIn)
  return {
    alerts: [
      ...each.flatMap(({ alerts }) => alerts),
      ...nobodys.map(({ name, group }) => surveyOf(name, group?.rule, NO_PROMETHEUS)),
    ],
    remarks: [...each.flatMap(({ remarks }) => remarks), ...unloaded(platform, monitoring)],
    alerting: each.flatMap(({ server }) => server ?? []),
  }
}

const NO_PROMETHEUS: Left = { kind: 'notSimulated', why: 'nothing tells of a Prometheus, nor of what it scrapes' }

/** What of a platform's alerts is not looked at, by why: one line each. What can never fire is told with its place. */
export function alertNotes({ alerts }: AlertSurvey): string[] {
  const byWhy = Map.groupBy(
    alerts.filter(({ left }) => left && left.kind !== 'never'),
    ({ left }) => left!.why,
  )
  return [...byWhy].map(([why, all]) => {
    const names = all.flatMap(({ left }) => left!.name ?? [])
    return `alerts not evaluated: ${shortList(all.map(({ alert }) => alert))}: ${why}${names.length > 0 ? ` (${shortList(names)})` : ''}`
  })
}

interface OfServer {
  readonly alerts: readonly SurveyedAlert[]
  readonly remarks: readonly AlertRemark[]
  readonly server?: MonitoringPrometheus
}

function ofServer(platform: Platform, monitoring: Monitoring, given: Monitoring['servers'][number]): OfServer {
  const { source } = given
  const written = alertsOf(platform, { source })
  if (written.length === 0) return { alerts: [], remarks: [] }
  const groups = recordingsOf(platform, { source })
  const server: MonitoringPrometheus = { ...given, addresses: [], rules: groups, wanted: new Set() }
  const series = new KnownSeries(platform, monitoring, server)
  const judged = written.map((one) => judge(one, series))
  const evaluated = judged.flatMap(({ one, left }) => (left === undefined && one.group ? [one.group] : []))
  const alerts = judged.map(({ one, left }) => surveyOf(one.name, one.group?.rule, left))
  const remarks = remarksOn(judged)
  if (evaluated.length === 0) return { alerts, remarks }
  const rules = [
    ...recordingFor(evaluated, groups),
    ...evaluated.map(({ rule, ...group }) => ({ ...group, rules: [rule] })),
  ]
  return { alerts, remarks, server: { ...server, rules: merged(rules), wanted: wantedByRules(rules) } }
}

const surveyOf = (alert: string, rule: AlertingRule | undefined, left: Left | undefined): SurveyedAlert => ({
  alert,
  forUs: rule?.for ?? 0,
  ...(rule?.labels['severity'] ? { severity: rule.labels['severity'] } : {}),
  ...(left === undefined ? {} : { left }),
})

interface JudgedAlert {
  readonly one: WrittenAlert
  readonly left?: Left
  readonly never?: { readonly why: string; readonly fix: string; readonly at: Position }
}

function judge(one: WrittenAlert, series: KnownSeries): JudgedAlert {
  if (!one.group) return { one, left: { kind: 'unread', why: one.error ?? 'it cannot be read' } }
  const expr = parse(one.group.rule.expr)
  const [lacking] = whyNever(expr, (selector) => series.of(selector))
  const known = lacking && series.of(lacking)
  if (lacking && known?.kind === 'never') {
    const { why, fix } = known
    const word = lacking.metric ?? lacking.matchers.find(({ name }) => name === '__name__')?.value ?? ''
    return { one, left: { kind: 'never', why }, never: { why, fix, at: placeOf(one, word) } }
  }
  const all = [...selectorsOf(expr)].map((selector) => series.of(selector))
  const unknown = all.find(({ kind }) => kind === 'notSimulated')
  return unknown?.kind === 'notSimulated' ? { one, left: unknown } : { one }
}

/** Alerts that cannot fire for one reason are told together, where the first of them stands. */
function remarksOn(judged: readonly JudgedAlert[]): AlertRemark[] {
  const byWhy = Map.groupBy(
    judged.flatMap(({ one, never }) => (never ? [{ alert: one.name, ...never }] : [])),
    ({ why }) => why,
  )
  return [...byWhy].map(([why, all]) => {
    const names = [...new Set(all.map(({ alert }) => alert))]
    return {
      what: `alert${names.length === 1 ? '' : 's'} ${names.join(', ')} can never fire: ${why}`,
      fix: all[0]!.fix,
      at: all[0]!.at,
    }
  })
}

/** The recording rules that alerts rest on, with those these need. */
function recordingFor(
  evaluated: readonly { readonly rule: AlertingRule }[],
  groups: readonly RuleGroup[],
): RuleGroup[] {
  const asked = wantedByRules(evaluated.map(({ rule }) => ({ rules: [rule] })))
  return neededRules(groups, asked)
}

/** Rules of one group again in one, recordings first: they are evaluated one after the other. */
function merged(groups: readonly RuleGroup[]): RuleGroup[] {
  const byName = new Map<string, RuleGroup>()
  for (const group of groups) {
    const key = `${group.file}\n${group.name}`
    const before = byName.get(key)
    byName.set(key, before ? { ...before, rules: [...before.rules, ...group.rules] } : group)
  }
  return [...byName.values()]
}

/** PrometheusRules with alerts that no Prometheus among the manifests selects. */
function unloaded(platform: Platform, { servers }: Monitoring): AlertRemark[] {
  if (servers.length === 0 || !servers.every(({ source }) => 'object' in source)) return []
  const loaded = new Set(servers.flatMap(({ source }) => alertsOf(platform, { source }).map(({ object }) => object)))
  const names = servers.flatMap(({ source }) => ('object' in source ? [source.object.metadata.name] : []))
  return platform.objects
    .filter((object) => isRule(object) && !loaded.has(object) && alertsIn(object).length > 0)
    .map((object) => {
      const { file, line, column } = sourceOf(object, 'metadata.labels')
      return {
        what: `the alerts of ${object.id} can never fire: no Prometheus of the platform (${names.join(', ')}) selects it`,
        fix: 'Give it the labels of spec.ruleSelector, in a namespace of spec.ruleNamespaceSelector.',
        at: { file, line, column },
      }
    })
}
