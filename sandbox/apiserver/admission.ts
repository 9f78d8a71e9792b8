import { ApiError } from '../kube/errors.ts'
import { PriorityClass, ServiceAccount } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { deepFreeze } from './freeze.ts'
import type { StrategyContext } from './strategy.ts'

/**
 * What the admission plugins of a default cluster make of a new pod: ServiceAccount, Priority, DefaultTolerationSeconds.
 * The service account's token volume is not added. Throws Forbidden.
 * Follows plugin/pkg/admission/{serviceaccount,priority,defaulttolerationseconds}/admission.go.
 */
export function admitPod(pod: o.Pod, context: StrategyContext): o.Pod {
  checkServiceAccount(pod, context)
  const resolved = priorityOf(pod, context)
  return { ...pod, spec: admittedSpec(pod.spec, resolved) }
}

interface Priority {
  readonly name: string | undefined
  readonly value: number
  readonly policy: 'Never' | 'PreemptLowerPriority'
}

const admitted = new WeakMap<o.PodSpec, { priority: Priority; spec: o.PodSpec }>()

/** Remembered by the spec's identity: pods of one template share one admitted spec. */
function admittedSpec(spec: o.PodSpec, priority: Priority): o.PodSpec {
  const known = admitted.get(spec)
  if (known && samePriority(known.priority, priority)) return known.spec
  const account = spec.serviceAccountName || 'default'
  const made = deepFreeze({
    ...spec,
    serviceAccountName: account,
    serviceAccount: account,
    ...(priority.name ? { priorityClassName: priority.name } : {}),
    priority: priority.value,
    preemptionPolicy: priority.policy,
    tolerations: withNodeTolerations(spec.tolerations ?? []),
  })
  if (Object.isFrozen(spec)) admitted.set(spec, { priority, spec: made })
  return made
}

const samePriority = (a: Priority, b: Priority): boolean =>
  a.name === b.name && a.value === b.value && a.policy === b.policy

/** `system-*` classes that every cluster has. Follows pkg/apis/scheduling/v1/helpers.go. */
const SYSTEM: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

function priorityOf(pod: o.Pod, context: StrategyContext): Priority {
  const { priorityClassName: asked, priority, preemptionPolicy } = pod.spec
  const found = asked ? named(pod, asked, context) : global(context)
  if (priority !== undefined && priority !== found.value)
    throw forbiddenPod(
      pod,
      `the integer value of priority (${priority}) must not be provided in pod spec; priority admission controller computed ${found.value} from the given PriorityClass name`,
    )
  if (preemptionPolicy !== undefined && preemptionPolicy !== found.policy)
    throw forbiddenPod(
      pod,
      `the string value of PreemptionPolicy (${preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${found.policy} from the given PriorityClass name`,
    )
  return found
}

function named(pod: o.Pod, name: string, context: StrategyContext): Priority {
  const known = context.peek(PriorityClass, name)
  if (known) return priorityFrom(known)
  const system = SYSTEM[name]
  if (system === undefined) throw forbiddenPod(pod, `no PriorityClass with name ${name} was found`)
  return { name, value: system, policy: 'PreemptLowerPriority' }
}

/** The class marked as default; of several, the lowest. */
function global(context: StrategyContext): Priority {
  let lowest: o.PriorityClass | undefined
  for (const item of context.list(PriorityClass))
    if (item.globalDefault && (!lowest || item.value < lowest.value)) lowest = item
  return lowest ? priorityFrom(lowest) : { name: undefined, value: 0, policy: 'PreemptLowerPriority' }
}

const priorityFrom = ({ metadata, value, preemptionPolicy }: o.PriorityClass): Priority => ({
  name: metadata.name,
  value,
  policy: preemptionPolicy ?? 'PreemptLowerPriority',
})

/** The account `default` always is there: the controller that makes it runs before any pod. */
function checkServiceAccount(pod: o.Pod, context: StrategyContext): void {
  const name = pod.spec.serviceAccountName
  const { namespace } = pod.metadata
  if (!name || name === 'default' || context.peek(ServiceAccount, `${namespace}/${name}`)) return
  throw forbiddenPod(pod, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`)
}

const forbiddenPod = (pod: o.Pod, why: string): ApiError =>
  new ApiError(403, 'Forbidden', `pods "${pod.metadata.name}" is forbidden: ${why}`)

const TOLERATED_SECONDS = 300
const NODE_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const

/** Follows plugin/pkg/admission/defaulttolerationseconds/admission.go, which acts on updates too. */
export function withNodeTolerations(given: readonly o.Toleration[]): o.Toleration[] {
  const covers = (taint: string) =>
    given.some(({ key, effect }) => (key === taint || !key) && (effect === 'NoExecute' || !effect))
  const added = NODE_TAINTS.filter((taint) => !covers(taint)).map((key) => ({
    key,
    operator: 'Exists' as const,
    effect: 'NoExecute' as const,
    tolerationSeconds: TOLERATED_SECONDS,
  }))
  return [...given, ...added]
}
