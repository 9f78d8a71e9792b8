import { parseDocument } from 'yaml'
import { loadRuleFile } from '../../sandbox/metrics/rules/load.ts'
import {
  type AlertingRule,
  type RecordingRule,
  type Rule,
  RuleError,
  type RuleGroup,
} from '../../sandbox/metrics/rules/rule.ts'
import type { MonitoringPrometheus } from '../../sandbox/tiers/monitoring-options.ts'
import type { FieldPath } from '../platform/path.ts'
import { namespaceOf, type Platform, type PlatformObject } from '../platform/platform.ts'
import { isRule, isSelected } from '../platform/roles/autoscaling/rules.ts'
import { isMap } from '../platform/roles/pod-templates.ts'

/** A rule as somebody wrote it. */
interface Written<R extends Rule> {
  /** What it is called: the alert, or the series it records. */
  readonly name: string
  readonly object: PlatformObject
  /** Where its expression stands: in a field of its own, or within the text of a file in a ConfigMap. */
  readonly path: FieldPath
  /** Its group without other rules; undefined: Prometheus, or what is simulated of it, does not take it. */
  readonly group: (Omit<RuleGroup, 'rules'> & { readonly rule: R }) | undefined
  /** Why it is not taken. */
  readonly error?: string
}

export type WrittenAlert = Written<AlertingRule>

type Source = Pick<MonitoringPrometheus, 'source'>
type Kind = 'alert' | 'record'

/** The alerting rules that a Prometheus loads, in the order of objects, groups and rules. Annotations change nothing and are left out. */
export const alertsOf = (platform: Platform, server: Source): WrittenAlert[] =>
  rulesOf(platform, server, 'alert') as WrittenAlert[]

/** Those of one PrometheusRule. */
export const alertsIn = (object: PlatformObject): WrittenAlert[] => rulesIn(object, 'alert') as WrittenAlert[]

/** The recording rules that a Prometheus loads, each in a group of its own. */
export const recordingsOf = (platform: Platform, server: Source): RuleGroup[] =>
  (rulesOf(platform, server, 'record') as Written<RecordingRule>[]).flatMap(({ group }) => {
    if (!group) return []
    const { rule, ...rest } = group
    return [{ ...rest, rules: [rule] }]
  })

const rulesOf = (platform: Platform, { source }: Source, kind: Kind): Written<Rule>[] =>
  platform.objects.flatMap((object) => {
    if (source.kind === 'file') return filesIn(object, source.configMap, kind)
    return isRule(object) && isSelected(object, source) ? rulesIn(object, kind) : []
  })

const rulesIn = (object: PlatformObject, kind: Kind): Written<Rule>[] =>
  inGroups(object.manifest['spec'], {
    object,
    kind,
    file: `${namespaceOf(object)}/${object.manifest.metadata.name}`,
    base: ['spec'],
  })

/** Rule files in the ConfigMaps of the Prometheus' namespace. */
function filesIn(object: PlatformObject, configMap: string, kind: Kind): Written<Rule>[] {
  const { data } = object.manifest
  if (object.manifest.kind !== 'ConfigMap' || !isMap(data) || namespaceOf(object) !== configMap.split('/')[0]) return []
  return Object.entries(data).flatMap(([key, text]) => {
    if (typeof text !== 'string' || !/^groups:/m.test(text) || /^scrape_configs:/m.test(text)) return []
    const document = parseDocument(text)
    if (document.errors.length > 0) return []
    return inGroups(document.toJS({ maxAliasCount: 100 }), {
      object,
      kind,
      file: `${object.id} ${key}`,
      at: ['data', key],
    })
  })
}

interface Place {
  readonly object: PlatformObject
  readonly kind: Kind
  readonly file: string
  /** The map that holds `groups`. */
  readonly base?: FieldPath
  /** The text that holds it all. */
  readonly at?: FieldPath
}

function inGroups(spec: unknown, { object, kind, file, base, at }: Place): Written<Rule>[] {
  const groups = isMap(spec) && Array.isArray(spec['groups']) ? (spec['groups'] as unknown[]) : []
  return groups.flatMap((group, g) => {
    const rules = isMap(group) && Array.isArray(group['rules']) ? (group['rules'] as unknown[]) : []
    return rules.flatMap((rule, r): Written<Rule>[] => {
      const name = isMap(rule) ? rule[kind] : undefined
      if (!isMap(rule) || typeof name !== 'string') return []
      const path = base ? [...base, 'groups', g, 'rules', r, 'expr'] : at!
      return [{ name, object, path, ...loaded(group as Record<string, unknown>, rule, file) }]
    })
  })
}

/** Rule by rule: one that cannot be evaluated here is no reason to leave out its group. */
function loaded(
  group: Record<string, unknown>,
  rule: Record<string, unknown>,
  file: string,
): Pick<Written<Rule>, 'group' | 'error'> {
  const { annotations: _, ...bare } = rule
  try {
    const [{ rules, ...rest }] = loadRuleFile({ groups: [{ ...group, rules: [bare] }] }, file) as [RuleGroup]
    return { group: { ...rest, rule: rules[0]! } }
  } catch (error) {
    if (error instanceof RuleError) return { group: undefined, error: error.message }
    throw error
  }
}
