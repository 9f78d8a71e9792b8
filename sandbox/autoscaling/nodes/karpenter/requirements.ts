import type * as o from '../../../kube/objects.ts'

/** Labels that nodes have by their instance, their zone or their pool; a requirement of any other key makes the label. */
const WELL_KNOWN =
  /^(kubernetes\.io\/(arch|os|hostname)|(beta|node)\.kubernetes\.io\/|node\.kubernetes\.io\/|topology\.kubernetes\.io\/|karpenter\.|nvidia\.com\/|eks\.amazonaws\.com\/|cloud\.google\.com\/|topology\.)/

export const isWellKnown = (key: string): boolean => WELL_KNOWN.test(key)

/** Whether a node with these labels meets the requirement. Follows pkg/scheduling/requirement.go. */
export function allows(
  { key, operator, values = [] }: o.NodeRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const has = labels[key]
  if (operator === 'Exists') return has !== undefined
  if (operator === 'DoesNotExist') return has === undefined
  if (operator === 'NotIn') return has === undefined || !values.includes(has)
  if (has === undefined) return false
  if (operator === 'In') return values.includes(has)
  const [left, right] = [Number(has), Number(values[0])]
  if (operator === 'Gt') return left > right
  if (operator === 'Lt') return left < right
  return operator === 'Gte' ? left >= right : left <= right
}

/** Sets of labels kept apart at most. */
const VARIANTS = 64

/**
 * The labels that requirements of a team's own keys put on nodes, one set for each choice there is. A key that may have any value
 * gets one nobody asks for. Follows pkg/scheduling/requirements.go Labels.
 */
export function customLabels(requirements: readonly o.NodeRequirement[]): Record<string, string>[] {
  let sets: Record<string, string>[] = [{}]
  for (const { key, operator, values = [] } of requirements) {
    if (isWellKnown(key) || operator === 'DoesNotExist') continue
    const choices = operator === 'In' ? values : [String(Number(values[0] ?? 0) + 1)]
    sets = sets.flatMap((set) => choices.map((value) => ({ ...set, [key]: value }))).slice(0, VARIANTS)
  }
  return sets
}

/** Whether the candidates differ as much as `minValues` asks. Follows pkg/cloudprovider/types.go SatisfiesMinValues. */
export const isFlexible = (
  requirements: readonly o.NodeRequirement[],
  candidates: readonly { readonly labels: Readonly<Record<string, string>> }[],
): boolean =>
  requirements.every(
    ({ key, minValues }) =>
      minValues === undefined || new Set(candidates.flatMap(({ labels }) => labels[key] ?? [])).size >= minValues,
  )
