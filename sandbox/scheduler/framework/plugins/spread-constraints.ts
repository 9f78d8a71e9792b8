import type { Node, Pod, TopologySpreadConstraint } from '../../../kube/objects.ts'
import { bothSelect, labelSelector, type Selector, selectorFromSet } from '../../../kube/selectors.ts'
import type { Listers } from '../plugin.ts'
import type { PodFacts, PodInfo } from '../pod-info.ts'
import { keepsAway } from './taints.ts'

export const HOSTNAME = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

/** A constraint with everything it leaves open filled in. */
export interface Constraint {
  readonly maxSkew: number
  readonly topologyKey: string
  readonly selector: Selector
  readonly minDomains: number
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
}

/** What holds for a pod without constraints of its own. Follows plugins/podtopologyspread/plugin.go systemDefaultConstraints. */
const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { topologyKey: HOSTNAME, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: ZONE, whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
]

/** What constraints are worked out from. */
export interface SpreadListers extends Listers {
  /** For pods without constraints of their own, in place of the system's. */
  readonly spreadDefaults?: readonly TopologySpreadConstraint[]
}

/** The pod's own constraints of one sort, else the system's or the profile's, which count the pods of the same services and controller. */
export function constraintsOf(
  pod: Pod,
  action: TopologySpreadConstraint['whenUnsatisfiable'],
  listers: SpreadListers,
): Constraint[] {
  const own = pod.spec.topologySpreadConstraints ?? []
  if (own.length > 0) return own.filter((c) => c.whenUnsatisfiable === action).map((c) => fill(c, pod))
  const defaults = (listers.spreadDefaults ?? SYSTEM_DEFAULTS).filter((c) => c.whenUnsatisfiable === action)
  if (defaults.length === 0) return []
  const selector = defaultSelector(pod, listers)
  if (selector.empty) return []
  // defaults have no label keys to match: nothing but the selector is the pod's
  const known = byDefault.get(selector)
  if (known?.action === action && known.given === (listers.spreadDefaults ?? SYSTEM_DEFAULTS)) return known.constraints
  const constraints = defaults.map((c) => ({ ...fill(c, pod), selector }))
  if (defaults.every((c) => !c.matchLabelKeys?.length))
    byDefault.set(selector, { action, given: listers.spreadDefaults ?? SYSTEM_DEFAULTS, constraints })
  return constraints
}

/** What the defaults come to, by the selector of the pods they count. */
const byDefault = new WeakMap<
  Selector,
  {
    readonly action: TopologySpreadConstraint['whenUnsatisfiable']
    readonly given: readonly TopologySpreadConstraint[]
    readonly constraints: Constraint[]
  }
>()

function fill(constraint: TopologySpreadConstraint, pod: Pod): Constraint {
  return {
    maxSkew: constraint.maxSkew,
    topologyKey: constraint.topologyKey,
    selector: selectorWithKeys(constraint, pod),
    minDomains: constraint.minDomains ?? 1,
    honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
  }
}

function selectorWithKeys(
  { labelSelector: selector, matchLabelKeys = [] }: TopologySpreadConstraint,
  pod: Pod,
): Selector {
  const labels = pod.metadata.labels ?? {}
  const kept = matchLabelKeys.filter((key) => labels[key] !== undefined).map((key) => [key, labels[key]!])
  const own = labelSelector(selector)
  return kept.length === 0 ? own : bothSelect(own, selectorFromSet(Object.fromEntries(kept)))
}

// follows plugins/helper/spread.go DefaultSelector
function defaultSelector(pod: Pod, listers: Listers): Selector {
  const merged: Record<string, string> = {}
  const ofServices = listers.services(pod.metadata.namespace ?? '').filter(({ spec }) => {
    return spec.selector && selectorFromSet(spec.selector).matches(pod.metadata.labels)
  })
  for (const { spec } of ofServices) Object.assign(merged, spec.selector)
  const ofController = listers.controllerSelector(pod)
  if (ofServices.length === 0 && ofController?.requirements) return ofController
  const services = selectorFromSet(merged)
  if (!ofController?.requirements) return services
  return services.empty ? ofController : bothSelect(services, ofController)
}

/** Whether the pods of a node count for the constraint. Follows plugins/podtopologyspread/common.go matchNodeInclusionPolicies. */
export function includes(constraint: Constraint, { pod, facts }: PodInfo, node: Node): boolean {
  if (constraint.honorsAffinity && !allowsNode(facts, node)) return false
  return !(constraint.honorsTaints && keepsAway(node.spec.taints, pod.spec.tolerations))
}

const allowsNode = (facts: PodFacts, node: Node): boolean => !facts.requiredNode || facts.requiredNode(node)

export const hasAllKeys = (node: Node, constraints: readonly Constraint[]): boolean =>
  constraints.every((c) => node.metadata.labels?.[c.topologyKey] !== undefined)
