import type * as o from '../../kube/objects.ts'
import { each, within } from './fill.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

/**
 * Turns matchLabelKeys and mismatchLabelKeys into selector requirements with the pod's own values.
 * Follows pkg/registry/core/pod/strategy.go mutatePodAffinity and mutateTopologySpreadConstraints.
 */
export function withMatchedLabels(pod: o.Pod): o.Pod {
  const { labels = {} } = pod.metadata
  const spec = within(
    within(pod.spec, 'topologySpreadConstraints', (list) => each(list, (item) => merged(item, labels))),
    'affinity',
    (affinity) =>
      within(
        within(affinity, 'podAffinity', (given) => terms(given, labels)),
        'podAntiAffinity',
        (given) => terms(given, labels),
      ),
  )
  return spec === pod.spec ? pod : { ...pod, spec }
}

type PodAffinity = NonNullable<o.Affinity['podAffinity']>

const terms = (given: PodAffinity, labels: Record<string, string>): PodAffinity =>
  within(
    within(given, REQUIRED, (list) => each(list, (item) => merged(item, labels))),
    PREFERRED,
    (list) => each(list, (item) => within(item, 'podAffinityTerm', (term) => merged(term, labels))),
  )

interface Keyed {
  labelSelector?: o.LabelSelector
  matchLabelKeys?: string[]
  mismatchLabelKeys?: string[]
}

function merged<T extends Keyed>(item: T, labels: Record<string, string>): T {
  if (!item.labelSelector) return item
  const wanted = (keys: readonly string[] | undefined, operator: 'In' | 'NotIn') =>
    (keys ?? []).flatMap((key) => (labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }]))
  const added = [...wanted(item.matchLabelKeys, 'In'), ...wanted(item.mismatchLabelKeys, 'NotIn')]
  if (added.length === 0) return item
  const { matchExpressions = [] } = item.labelSelector
  return { ...item, labelSelector: { ...item.labelSelector, matchExpressions: [...matchExpressions, ...added] } }
}
