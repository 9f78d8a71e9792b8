import { createHash } from 'node:crypto'
import { anchored } from '../tsdb/regexp.ts'
import { expand } from './expand.ts'

/** Labels under work. An empty value is an absent label. */
export type LabelMap = Map<string, string>

/** One `relabel_configs` entry, its regex made ready. */
export interface RelabelRule {
  readonly action: RelabelAction
  readonly sourceLabels: readonly string[]
  readonly separator: string
  readonly regex: RegExp
  /** Whether the regex is the default `(.*)`. */
  readonly matchesAll: boolean
  readonly modulus: bigint
  readonly targetLabel: string
  readonly replacement: string
}

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const
export type RelabelAction = (typeof RELABEL_ACTIONS)[number]

/** A rule as it is written, with Prometheus' names; fields left out have Prometheus' defaults. */
export interface RelabelInput {
  readonly action?: string
  readonly source_labels?: readonly string[]
  readonly separator?: string
  readonly regex?: string | number | boolean
  readonly modulus?: number
  readonly target_label?: string
  readonly replacement?: string
}

/** A rule Prometheus would refuse to load. The message is its own where it has one. */
export class RelabelError extends Error {
  override readonly name = 'RelabelError'
  readonly code = 'relabel'
}

const NEEDS_TARGET = new Set(['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal'])

/** Reads a rule. Throws a RelabelError or a RegexpError. */
// follows model/relabel/relabel.go of prometheus/prometheus (Config.UnmarshalYAML, Validate)
export function relabelRule(input: RelabelInput): RelabelRule {
  const action = (input.action ?? 'replace').toLowerCase() as RelabelAction
  if (!RELABEL_ACTIONS.includes(action)) throw new RelabelError(`unknown relabel action "${input.action}"`)
  const targetLabel = input.target_label ?? ''
  const modulus = BigInt(Math.trunc(input.modulus ?? 0))
  if (modulus === 0n && action === 'hashmod')
    throw new RelabelError('relabel configuration for hashmod requires non-zero modulus')
  if (NEEDS_TARGET.has(action) && targetLabel === '')
    throw new RelabelError(`relabel configuration for ${action} action requires 'target_label' value`)
  const source = String(input.regex ?? '(.*)')
  return {
    action,
    sourceLabels: input.source_labels ?? [],
    separator: input.separator ?? ';',
    regex: anchored(source),
    matchesAll: source === '(.*)',
    modulus,
    targetLabel,
    replacement: input.replacement ?? '$1',
  }
}

/** Applies rules in order, changing `labels`. False when the target or series is dropped. */
// follows model/relabel/relabel.go of prometheus/prometheus (relabel)
export function relabel(labels: LabelMap, rules: readonly RelabelRule[]): boolean {
  for (const rule of rules) if (!apply(rule, labels)) return false
  return true
}

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

function apply(rule: RelabelRule, labels: LabelMap): boolean {
  const { action, regex, targetLabel } = rule
  const value = rule.sourceLabels.map((name) => labels.get(name) ?? '').join(rule.separator)
  switch (action) {
    case 'drop':
      return !regex.test(value)
    case 'keep':
      return regex.test(value)
    case 'dropequal':
      return (labels.get(targetLabel) ?? '') !== value
    case 'keepequal':
      return (labels.get(targetLabel) ?? '') === value
    case 'replace':
      replace(rule, labels, value)
      return true
    case 'lowercase':
      set(labels, targetLabel, value.toLowerCase())
      return true
    case 'uppercase':
      set(labels, targetLabel, value.toUpperCase())
      return true
    case 'hashmod':
      set(labels, targetLabel, String(hashOf(value) % rule.modulus))
      return true
    default:
      mapNames(rule, labels)
      return true
  }
}

function replace(rule: RelabelRule, labels: LabelMap, value: string): void {
  const match = rule.regex.exec(value)
  if (!match) return
  const target = expand(rule.targetLabel, match)
  if (LABEL_NAME.test(target)) set(labels, target, expand(rule.replacement, match))
}

function mapNames({ action, regex, replacement }: RelabelRule, labels: LabelMap): void {
  for (const [name, value] of [...labels]) {
    const match = regex.exec(name)
    if (action === 'labelmap') {
      if (match) set(labels, expand(replacement, match), value)
    } else if ((match !== null) === (action === 'labeldrop')) labels.delete(name)
  }
}

/** The last eight bytes of the MD5 sum. */
const hashOf = (value: string): bigint => createHash('md5').update(value).digest().readBigUInt64BE(8)

function set(labels: LabelMap, name: string, value: string): void {
  if (value === '') labels.delete(name)
  else labels.set(name, value)
}
