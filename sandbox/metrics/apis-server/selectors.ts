import { type FieldRequirement, FieldSelectorError, parseMetaFieldSelector } from '../../kube/field-selector.ts'
import type { LabelSelector } from '../../kube/objects.ts'
import { parseSelector } from '../../kube/selector-text.ts'
import { SelectorError } from '../../kube/selectors.ts'
import { badRequest } from './status.ts'

/** The selector a query's text stands for; an absent text selects everything. Throws a Status of 400. */
// follows k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go ParseToLabelSelector
export function selectorIn(text: string | null): LabelSelector {
  const matchLabels: Record<string, string> = {}
  const matchExpressions: NonNullable<LabelSelector['matchExpressions']> = []
  for (const { key, operator, values } of requirementsOf(text ?? '')) {
    if (operator === 'Gt' || operator === 'Lt')
      throw badRequest(`"${operator === 'Gt' ? 'gt' : 'lt'}" isn't supported in label selectors`)
    if (operator === 'In' && values.length === 1 && !(key in matchLabels)) matchLabels[key] = values[0]!
    else matchExpressions.push({ key, operator, ...(values.length > 0 ? { values: [...values] } : {}) })
  }
  return {
    ...(Object.keys(matchLabels).length > 0 ? { matchLabels } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  }
}

/** The same, undefined where it says nothing. */
export function optionalSelectorIn(text: string | null): LabelSelector | undefined {
  const selector = selectorIn(text)
  return selector.matchLabels || selector.matchExpressions ? selector : undefined
}

/** What a query's field selector asks for; an absent text asks for nothing. Throws a Status of 400. */
export function fieldsIn(text: string | null): FieldRequirement[] {
  try {
    return parseMetaFieldSelector(text ?? '')
  } catch (error) {
    if (error instanceof FieldSelectorError) throw badRequest(error.message)
    throw error
  }
}

function requirementsOf(text: string) {
  try {
    return parseSelector(text).requirements ?? []
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message)
    throw error
  }
}
