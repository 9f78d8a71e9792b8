import { labelValue, qualifiedName } from '../apiserver/validation/names.ts'
import type { LabelSelector, NodeSelectorRequirement, NodeSelectorTerm } from './objects.ts'

type Labels = Readonly<Record<string, string>>

type Operator = NodeSelectorRequirement['operator']

/** A selector made ready to match often. Follows k8s.io/apimachinery/pkg/labels/selector.go. */
export interface Selector {
  matches(labels: Labels | undefined): boolean
  /** True when it has no requirement: it matches everything. The selector of nothing is not empty. */
  readonly empty: boolean
  /** The same for selectors of the same requirements in any order. */
  readonly text: string
  readonly requirements: readonly Requirement[] | undefined
}

export interface Requirement {
  readonly key: string
  readonly operator: Operator
  readonly values: readonly string[]
}

/** A selector nobody can evaluate. */
export class SelectorError extends Error {
  readonly code = 'selector'
  constructor(message: string) {
    super(message)
    this.name = 'SelectorError'
  }
}

export const nothing: Selector = { matches: () => false, empty: false, text: '<nothing>', requirements: undefined }
export const everything: Selector = { matches: () => true, empty: true, text: '', requirements: [] }

/**
 * A label selector: an absent one selects nothing, an empty one everything. Throws a SelectorError on an unknown operator.
 * Follows k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector.
 */
export function labelSelector(selector: LabelSelector | undefined): Selector {
  if (!selector) return nothing
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator))
      throw new SelectorError(`"${operator}" is not a valid label selector operator`)
    return { key, operator, values }
  })
  return selectorOf([...equalities(selector.matchLabels ?? {}), ...expressions])
}

/** Selects what has all these labels. */
export const selectorFromSet = (labels: Labels): Selector => selectorOf(equalities(labels))

/** Selects what both select. */
export function bothSelect(a: Selector, b: Selector): Selector {
  if (!a.requirements) return a
  if (!b.requirements) return b
  return selectorOf([...a.requirements, ...b.requirements])
}

export function selectorOf(requirements: readonly Requirement[]): Selector {
  if (requirements.length === 0) return everything
  const tests = requirements.map(testOf)
  return {
    matches(labels = {}) {
      for (const test of tests) if (!test(labels)) return false
      return true
    },
    empty: false,
    text: [...new Set(requirements.map(textOf))].sort().join(','),
    requirements,
  }
}

/**
 * The terms of a node selector: any may match, an empty term matches nothing, and a term nobody can evaluate is passed over.
 * Follows k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go.
 */
export function nodeSelector(terms: readonly NodeSelectorTerm[]): (node: NamedNode) => boolean {
  const tests = terms.map(nodeSelectorTerm)
  return (node) => tests.some((test) => test(node))
}

export interface NamedNode {
  readonly metadata: { readonly name: string; readonly labels?: Labels }
}

/** One term; see `nodeSelector`. */
export function nodeSelectorTerm(term: NodeSelectorTerm): (node: NamedNode) => boolean {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length + matchFields.length === 0) return () => false
  if (!matchExpressions.every(isSound) || !matchFields.every(isSoundField)) return () => false
  const byLabels = selectorOf(matchExpressions.map(({ key, operator, values = [] }) => ({ key, operator, values })))
  return ({ metadata }) => {
    // a node without a name has no fields, which then do not count
    for (const { key, operator, values } of metadata.name ? matchFields : []) {
      const equal = (key === 'metadata.name' ? metadata.name : '') === values![0]
      if (equal !== (operator === 'In')) return false
    }
    return byLabels.matches(metadata.labels)
  }
}

const INTEGER = /^[+-]?\d+$/

/** Whether the text is an integer of 64 bits, as Go parses one. */
export const isInteger = (text: string | undefined): boolean =>
  typeof text === 'string' && INTEGER.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)

function isSound({ key, operator, values = [] }: NodeSelectorRequirement): boolean {
  if (qualifiedName(key).length > 0 || values.some((value) => labelValue(value).length > 0)) return false
  if (operator === 'In' || operator === 'NotIn') return values.length > 0
  if (operator === 'Exists' || operator === 'DoesNotExist') return values.length === 0
  return (operator === 'Gt' || operator === 'Lt') && values.length === 1 && isInteger(values[0])
}

const isSoundField = ({ operator, values = [] }: NodeSelectorRequirement): boolean =>
  (operator === 'In' || operator === 'NotIn') && values.length === 1

const equalities = (labels: Labels): Requirement[] =>
  Object.entries(labels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] }))

function testOf({ key, operator, values }: Requirement): (labels: Labels) => boolean {
  const [only] = values
  const one = values.length === 1
  switch (operator) {
    case 'In':
      return one ? (labels) => labels[key] === only : (labels) => has(labels, key) && values.includes(labels[key]!)
    case 'NotIn':
      return one ? (labels) => labels[key] !== only : (labels) => !has(labels, key) || !values.includes(labels[key]!)
    case 'Exists':
      return (labels) => has(labels, key)
    case 'DoesNotExist':
      return (labels) => !has(labels, key)
    case 'Gt':
      return (labels) => isInteger(labels[key]) && BigInt(labels[key]!) > BigInt(only!)
    case 'Lt':
      return (labels) => isInteger(labels[key]) && BigInt(labels[key]!) < BigInt(only!)
  }
}

const has = (labels: Labels, key: string): boolean => typeof labels[key] === 'string'

function textOf({ key, operator, values }: Requirement): string {
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  if (operator === 'Gt' || operator === 'Lt') return `${key}${operator === 'Gt' ? '>' : '<'}${values[0]}`
  if (values.length === 1) return `${key}${operator === 'In' ? '=' : '!='}${values[0]}`
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`
}
