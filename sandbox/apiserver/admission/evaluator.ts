import { Event, type Kind, PersistentVolumeClaim, Pod, Service } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { Us } from '../../world/time.ts'
import { type Amounts, ONE } from './amounts.ts'
import { claimEvaluator, serviceEvaluator } from './evaluate-others.ts'
import { podEvaluator } from './evaluate-pods.ts'

/** How objects of a kind count against quotas. Follows k8s.io/apiserver/pkg/quota/v1/interfaces.go. */
export interface Evaluator<T extends o.KubeObject = o.KubeObject> {
  /** Those of the limited resources that this kind uses. */
  matching(names: readonly string[]): string[]
  /** What an object uses at `now`. */
  usage(object: T, now: Us): Amounts
  matchesScope(scope: o.ScopeRequirement, object: T): boolean
  /** Why an object may not be counted against these resources. */
  constraint?(names: readonly string[], object: T): string | undefined
  /** Whether an update is checked; without it only creations are. */
  checksUpdate?(object: T, before: T): boolean
  /** Whether an update may set used resources free; a deletion always does. */
  frees?(before: T, after: T, now: Us): boolean
}

/** What limits a kind: a quota's own name for the number of its objects, and an older one. */
const ALIASES: Readonly<Record<string, string>> = {
  configmaps: 'configmaps',
  resourcequotas: 'resourcequotas',
  replicationcontrollers: 'replicationcontrollers',
  secrets: 'secrets',
}

const known = new Map<string, Evaluator>([
  [Pod.id, podEvaluator as unknown as Evaluator],
  [Service.id, serviceEvaluator as unknown as Evaluator],
  [PersistentVolumeClaim.id, claimEvaluator as unknown as Evaluator],
])

/** The evaluator of a kind; undefined where no quota counts. Follows pkg/quota/v1/evaluator/core/registry.go. */
export function evaluatorOf(kind: Kind): Evaluator | undefined {
  if (!kind.namespaced || kind.id === Event.id || kind.id === 'events.events.k8s.io') return undefined
  let evaluator = known.get(kind.id)
  if (!evaluator) {
    evaluator = counting(kind)
    known.set(kind.id, evaluator)
  }
  return evaluator
}

/** Counts objects and nothing else. Follows k8s.io/apiserver/pkg/quota/v1/generic/evaluator.go. */
function counting(kind: Kind): Evaluator {
  const alias = ALIASES[kind.id]
  const names = [`count/${kind.id}`, ...(alias ? [alias] : [])]
  const usage = new Map(names.map((name) => [name, ONE]))
  return {
    matching: (asked) => asked.filter((name) => names.includes(name)),
    usage: () => usage,
    matchesScope: () => false,
  }
}

/** A quota's scopes of both sorts. */
export const scopesOf = ({ spec }: o.ResourceQuota): readonly o.ScopeRequirement[] => [
  ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' as const })),
  ...(spec.scopeSelector?.matchExpressions ?? []),
]
