import type * as o from '../../kube/objects.ts'
import { type Causes, forbidden, invalids, invalidValue } from './field.ts'
import { qualifiedName } from './names.ts'

interface Keyed {
  readonly labelSelector?: o.LabelSelector
  readonly matchLabelKeys?: readonly string[]
  readonly mismatchLabelKeys?: readonly string[]
}

/**
 * Label keys whose values a selector takes from the pod itself; the selector has them already when this is asked.
 * Follows pkg/apis/core/validation/validation.go ValidateMatchLabelKeysAndMismatchLabelKeys.
 */
export function labelKeys({ labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: Keyed, path: string): Causes {
  if (matchLabelKeys.length + mismatchLabelKeys.length === 0) return []
  return [
    ...named(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`),
    ...named(mismatchLabelKeys, labelSelector, `${path}.mismatchLabelKeys`),
    ...selectedTwice(matchLabelKeys, labelSelector, path),
    ...matchLabelKeys.flatMap((key, i) =>
      mismatchLabelKeys.includes(key)
        ? [invalidValue(`${path}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys')]
        : [],
    ),
  ]
}

function named(keys: readonly string[], selector: o.LabelSelector | undefined, path: string): Causes {
  if (keys.length === 0) return []
  if (!selector) return [forbidden(path, 'must not be specified when labelSelector is not set')]
  return keys.flatMap((key, i) => invalids(`${path}[${i}]`, key, qualifiedName(key)))
}

function selectedTwice(keys: readonly string[], selector: o.LabelSelector | undefined, path: string): Causes {
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}))
  return (selector?.matchExpressions ?? []).flatMap(({ key }) => {
    const again = seen.has(key) && keys.includes(key)
    seen.add(key)
    const at = `${path}[${keys.lastIndexOf(key)}]`
    return again ? [invalidValue(at, key, 'exists in both matchLabelKeys and labelSelector')] : []
  })
}
