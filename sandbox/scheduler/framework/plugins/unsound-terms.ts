import type { NodeSelectorTerm } from '../../../kube/objects.ts'
import { isInteger } from '../../../kube/selectors.ts'

/**
 * Why terms that an API server lets through cannot be evaluated: values to be compared that are no integers. A message each, with its path
 * under `path`. Follows k8s.io/apimachinery/pkg/labels/selector.go NewRequirement.
 */
export const unsoundTerms = (terms: readonly NodeSelectorTerm[], path = ''): string[] =>
  terms.flatMap(({ matchExpressions = [] }, i) =>
    matchExpressions.flatMap(({ operator, values = [] }, j) =>
      (operator === 'Gt' || operator === 'Lt') && values.length === 1 && !isInteger(values[0])
        ? [`${path}[${i}].matchExpressions[${j}].values[0]: Invalid value: ${JSON.stringify(values[0])}: ${WHY}`]
        : [],
    ),
  )

const WHY = "for 'Gt', 'Lt' operators, the value must be an integer"

/** Errors as Go's aggregate of them reads. */
export const aggregated = (messages: readonly string[]): string =>
  messages.length === 1 ? messages[0]! : `[${[...new Set(messages)].join(', ')}]`
