import type { LabelSelector } from './objects.ts'

/**
 * Whether a label selector matches. An empty selector matches everything; an absent one nothing.
 * Follows k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector.
 */
export function selects(selector: LabelSelector | undefined, labels: Record<string, string> = {}): boolean {
  if (!selector) return false
  for (const key in selector.matchLabels) if (labels[key] !== selector.matchLabels[key]) return false
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key]
    if (operator === 'Exists' ? value === undefined : operator === 'DoesNotExist' ? value !== undefined : false)
      return false
    if (operator === 'In' && (value === undefined || !values.includes(value))) return false
    if (operator === 'NotIn' && value !== undefined && values.includes(value)) return false
  }
  return true
}
