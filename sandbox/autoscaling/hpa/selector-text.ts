import type { LabelSelector } from '../../kube/objects.ts'
import type { Selector } from '../../kube/selectors.ts'
import { ScalingError } from './scaling-error.ts'

/** A label selector as Go prints it. Follows k8s.io/apimachinery/pkg/apis/meta/v1/generated.pb.go. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil'
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  const matchLabels = labels.map(([key, value]) => `${key}: ${value},`).join('')
  return `&LabelSelector{MatchLabels:map[string]string{${matchLabels}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}

/** A parsed selector in the form objects have it. Throws a ScalingError for comparisons, which that form does not have. */
export function selectorObject({ requirements = [] }: Selector): LabelSelector {
  return {
    matchExpressions: requirements.map(({ key, operator, values }) => {
      if (operator === 'Gt' || operator === 'Lt')
        throw new ScalingError(
          `"${operator}" in a scale's selector is not simulated. Use In, NotIn, Exists or DoesNotExist`,
        )
      return values.length > 0 ? { key, operator, values: [...values] } : { key, operator }
    }),
  }
}
