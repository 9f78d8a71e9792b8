import { z } from 'zod'
import type { Us } from '../../world/time.ts'
import { checkExpression } from '../promql/engine.ts'
import { durationMs } from '../promql/literals.ts'
import { type Labels, QueryError } from '../querier.ts'
import { type Rule, RuleError, type RuleGroup } from './rule.ts'
import { checkTemplate, TemplateError } from './template.ts'

const duration = z.union([z.string(), z.literal(0)])
const texts = z.record(z.string(), z.string())

const ruleShape = z.strictObject({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: z.union([z.string(), z.number()]).transform(String),
  for: duration.optional(),
  keep_firing_for: duration.optional(),
  labels: texts.nullish(),
  annotations: texts.nullish(),
})

const groupShape = z.strictObject({
  name: z.string(),
  interval: duration.optional(),
  query_offset: duration.optional(),
  limit: z.int().optional(),
  labels: texts.nullish(),
  rules: z.array(ruleShape).nullish(),
  /** Of Thanos, in PrometheusRule objects. */
  partial_response_strategy: z.string().optional(),
})

const fileShape = z.strictObject({ groups: z.array(groupShape).nullish() })

type RawRule = z.infer<typeof ruleShape>
type RawGroup = z.infer<typeof groupShape>

/** Groups of a Prometheus rule file, already read from YAML. Throws a `RuleError`. Follows model/rulefmt/rulefmt.go. */
export function loadRuleFile(document: unknown, file: string): RuleGroup[] {
  const parsed = fileShape.safeParse(document ?? {})
  if (!parsed.success) throw invalid(file, z.prettifyError(parsed.error))
  const groups = parsed.data.groups ?? []
  for (const [i, { name }] of groups.entries()) {
    if (name === '') throw invalid(file, 'Groupname must not be empty')
    if (groups.findIndex((group) => group.name === name) < i)
      throw invalid(file, `groupname: "${name}" is repeated in the same file`)
  }
  return groups.map((group) => loadGroup(group, file))
}

/** Groups of a PrometheusRule object (monitoring.coreos.com/v1). Throws a `RuleError`. */
export function loadPrometheusRule(object: {
  readonly metadata: { readonly name?: string; readonly namespace?: string }
  readonly spec?: unknown
}): RuleGroup[] {
  return loadRuleFile(object.spec, `${object.metadata.namespace ?? 'default'}/${object.metadata.name ?? ''}`)
}

function loadGroup(group: RawGroup, file: string): RuleGroup {
  const where = `${file}: group "${group.name}"`
  return {
    name: group.name,
    file,
    interval: group.interval === undefined ? undefined : us(group.interval, where) || undefined,
    queryOffset: us(group.query_offset, where),
    limit: group.limit ?? 0,
    rules: (group.rules ?? []).map((rule, i) =>
      loadRule(rule, group.labels ?? {}, `${where}, rule ${i + 1}, "${rule.alert ?? rule.record ?? ''}"`),
    ),
  }
}

function loadRule(raw: RawRule, groupLabels: Labels, where: string): Rule {
  const { record = '', alert = '', expr, annotations } = raw
  if (record !== '' && alert !== '') throw invalid(where, "only one of 'record' and 'alert' must be set")
  if (record === '' && alert === '') throw invalid(where, "one of 'record' or 'alert' must be set")
  if (expr === '') throw invalid(where, "field 'expr' must be set in rule")
  expressionOf(expr, where)
  const labels = { ...groupLabels, ...raw.labels }
  for (const name of Object.keys(labels))
    if (name === '' || name === '__name__') throw invalid(where, `invalid label name: ${name}`)
  const [wait, keep] = [us(raw.for, where), us(raw.keep_firing_for, where)]
  if (alert !== '') {
    templatesOf('label', labels, where)
    templatesOf('annotation', annotations ?? {}, where)
    return { kind: 'alerting', alert, expr, for: wait, keepFiringFor: keep, labels, annotations: annotations ?? {} }
  }
  const alertsOnly = Object.entries({
    annotations: Object.keys(annotations ?? {}).length > 0,
    for: wait !== 0,
    keep_firing_for: keep !== 0,
  }).find(([, set]) => set)
  if (alertsOnly) throw invalid(where, `invalid field '${alertsOnly[0]}' in recording rule`)
  if (/[{}]/.test(record))
    throw invalid(where, `braces present in the recording rule name; should it be in expr?: ${record}`)
  return { kind: 'recording', record, expr, labels }
}

function expressionOf(expr: string, where: string): void {
  try {
    checkExpression(expr)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    if (error.code === 'PROMQL_UNSUPPORTED') throw new RuleError('RULES_UNSUPPORTED', `${where}: ${error.message}`)
    throw invalid(where, `could not parse expression: ${error.message}`)
  }
}

function templatesOf(what: string, templates: Labels, where: string): void {
  for (const [name, text] of Object.entries(templates)) {
    try {
      checkTemplate(text)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      const code = error.unsupported ? 'RULES_UNSUPPORTED' : 'RULES_INVALID'
      throw new RuleError(code, `${where}: ${what} "${name}": ${error.message}`)
    }
  }
}

function us(text: string | 0 | undefined, where: string): Us {
  if (text === undefined || text === 0 || text === '0' || text === '') return 0
  try {
    return durationMs(text) * 1e3
  } catch (error) {
    throw invalid(where, (error as Error).message)
  }
}

const invalid = (where: string, why: string): RuleError =>
  new RuleError('RULES_INVALID', `${where}: ${why}; correct the rule (promtool check rules tells the same)`)
