import { parseDocument } from 'yaml'
import type { LabelSelector } from '../../../../sandbox/kube/objects.ts'
import { selects } from '../../../../sandbox/kube/selects.ts'
import { loadPrometheusRule, loadRuleFile } from '../../../../sandbox/metrics/rules/load.ts'
import { RuleError, type RuleGroup } from '../../../../sandbox/metrics/rules/rule.ts'
import type { DeclaredPrometheus } from '../../../../sandbox/metrics/scrape/declared.ts'
import { groupOf, namespaceOf, type Platform, type PlatformObject } from '../../platform.ts'
import { isMap } from '../pod-templates.ts'
import { namesIn } from './query-names.ts'

/** Rules somebody declares, and what could not be loaded of them. */
export interface DeclaredRules {
  readonly groups: readonly RuleGroup[]
  readonly problems: readonly {
    readonly object: PlatformObject
    readonly unsupported: boolean
    readonly message: string
  }[]
}

/** Rules of PrometheusRule objects and of rule files in ConfigMaps; of a Prometheus object only those it selects. */
export function declaredRules(
  platform: Platform,
  prometheus: DeclaredPrometheus | { readonly kind: 'operator' },
): DeclaredRules {
  const groups: RuleGroup[] = []
  const problems: DeclaredRules['problems'][number][] = []
  for (const object of platform.objects) {
    try {
      if (prometheus.kind === 'file') groups.push(...filesOf(object))
      else if (isRule(object) && isSelected(object, prometheus)) groups.push(...loadPrometheusRule(named(object)))
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      problems.push({ object, unsupported: error.code === 'RULES_UNSUPPORTED', message: error.message })
    }
  }
  return { groups, problems }
}

export const isRule = ({ manifest }: PlatformObject): boolean =>
  manifest.kind === 'PrometheusRule' && groupOf(manifest.apiVersion) === 'monitoring.coreos.com'

const named = (object: PlatformObject) => ({
  metadata: { name: object.manifest.metadata.name, namespace: namespaceOf(object) },
  spec: object.manifest['spec'],
})

/** Whether a Prometheus loads a PrometheusRule. No selector selects no rule, an empty one all; without an object the operator's Prometheus is elsewhere and takes all. */
// follows SelectRules of prometheus-operator's pkg/prometheus/rules.go
export function isSelected(
  rule: PlatformObject,
  prometheus: DeclaredPrometheus | { readonly kind: 'operator' },
): boolean {
  if (!('object' in prometheus)) return true
  const { spec, metadata } = prometheus.object
  const selector = spec['ruleSelector'] as LabelSelector | undefined
  const namespaces = spec['ruleNamespaceSelector'] as LabelSelector | undefined
  if (!selector || !selects(selector, { ...rule.manifest.metadata.labels })) return false
  const namespace = namespaceOf(rule)
  if (!namespaces) return namespace === (metadata.namespace ?? 'default')
  return selects(namespaces, { 'kubernetes.io/metadata.name': namespace })
}

function filesOf(object: PlatformObject): RuleGroup[] {
  const data = object.manifest.kind === 'ConfigMap' ? object.manifest['data'] : undefined
  if (!isMap(data)) return []
  return Object.entries(data).flatMap(([key, text]) =>
    typeof text === 'string' && /^groups:/m.test(text) && !/^scrape_configs:/m.test(text)
      ? loadRuleFile(yamlOf(text, `${object.id} ${key}`), `${object.id} ${key}`)
      : [],
  )
}

function yamlOf(text: string, file: string): unknown {
  const document = parseDocument(text)
  if (document.errors.length > 0) throw new RuleError('RULES_INVALID', `${file}: yaml: ${document.errors[0]!.message}`)
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new RuleError('RULES_INVALID', `${file}: yaml: ${(error as Error).message}`)
  }
}

/** The recording rules that make one of `names`, and those these need in turn; other rules change nothing an autoscaler sees. */
export function neededRules(groups: readonly RuleGroup[], names: 'all' | ReadonlySet<string>): RuleGroup[] {
  const recording = groups.flatMap((group) => group.rules.flatMap((rule) => (rule.kind === 'recording' ? [rule] : [])))
  const needed = new Set(names === 'all' ? recording.map(({ record }) => record) : names)
  let before = -1
  while (before !== needed.size) {
    before = needed.size
    for (const { record, expr } of recording)
      if (needed.has(record))
        for (const name of namesIn(expr))
          if (name.kind === 'exact') needed.add(name.name)
          else for (const other of recording) if (name.matches(other.record)) needed.add(other.record)
  }
  return groups.flatMap((group) => {
    const rules = group.rules.filter((rule) => rule.kind === 'recording' && needed.has(rule.record))
    return rules.length > 0 ? [{ ...group, rules }] : []
  })
}
