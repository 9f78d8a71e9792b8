import { ServiceAccount } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { deepFreeze } from '../freeze.ts'
import type { StrategyContext } from '../strategy.ts'
import { limitRangesOf, withDefaultLimits } from './limit-ranger.ts'
import { forbiddenPod, type Priority, priorityOf } from './priority.ts'

/**
 * What the admission plugins of a default cluster make of a new pod: LimitRanger, ServiceAccount, Priority,
 * DefaultTolerationSeconds.
 * The service account's token volume is not added. Throws Forbidden.
 * Follows plugin/pkg/admission/{serviceaccount,priority,defaulttolerationseconds}/admission.go.
 */
export function admitPod(asked: o.Pod, context: StrategyContext): o.Pod {
  const ranges = limitRangesOf(asked.metadata.namespace, context)
  const pod = ranges.length > 0 ? withDefaultLimits(asked, ranges) : asked
  checkServiceAccount(pod, context)
  const resolved = priorityOf(pod, context)
  return { ...pod, spec: admittedSpec(pod.spec, resolved) }
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

/** The account `default` always is there: the controller that makes it runs before any pod. */
function checkServiceAccount(pod: o.Pod, context: StrategyContext): void {
  const name = pod.spec.serviceAccountName
  const { namespace } = pod.metadata
  if (!name || name === 'default' || context.peek(ServiceAccount, `${namespace}/${name}`)) return
  throw forbiddenPod(pod, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`)
}

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
