import { ApiError } from '../../kube/errors.ts'
import { PriorityClass } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { StrategyContext } from '../strategy.ts'

/** What a pod's priority class says. Follows plugin/pkg/admission/priority/admission.go. */
export interface Priority {
  readonly name: string | undefined
  readonly value: number
  readonly policy: 'Never' | 'PreemptLowerPriority'
}

/** `system-*` classes that every cluster has. Follows pkg/apis/scheduling/v1/helpers.go. */
export const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

/** Throws Forbidden for a class that is not there, and for a number or policy that is not the class's. */
export function priorityOf(pod: o.Pod, context: StrategyContext): Priority {
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
  const system = SYSTEM_PRIORITIES[name]
  if (system === undefined) throw forbiddenPod(pod, `no PriorityClass with name ${name} was found`)
  return { name, value: system, policy: 'PreemptLowerPriority' }
}

/** The class marked as default; of several, the lowest. */
function defaultClass(context: StrategyContext): o.PriorityClass | undefined {
  let lowest: o.PriorityClass | undefined
  for (const item of context.list(PriorityClass))
    if (item.globalDefault && (!lowest || item.value < lowest.value)) lowest = item
  return lowest
}

function global(context: StrategyContext): Priority {
  const found = defaultClass(context)
  return found ? priorityFrom(found) : { name: undefined, value: 0, policy: 'PreemptLowerPriority' }
}

const priorityFrom = ({ metadata, value, preemptionPolicy }: o.PriorityClass): Priority => ({
  name: metadata.name,
  value,
  policy: preemptionPolicy ?? 'PreemptLowerPriority',
})

/** Refuses a second default class. Throws Forbidden. */
export function checkGlobalDefault(
  object: o.PriorityClass,
  before: o.PriorityClass | undefined,
  context: StrategyContext,
): void {
  if (!object.globalDefault) return
  const { name } = object.metadata
  const other = defaultClass(context)
  if (!other || (before && other.metadata.name === name)) return
  throw new ApiError(
    403,
    'Forbidden',
    `${PriorityClass.id} "${name}" is forbidden: PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
  )
}

/** Refused before its name is made: a pod that asked for a generated one is called by the prefix. */
export function forbiddenPod({ metadata: { name, generateName } }: o.Pod, why: string): ApiError {
  const generated = generateName && name.startsWith(generateName)
  return new ApiError(403, 'Forbidden', `pods "${generated ? generateName : name}" is forbidden: ${why}`)
}
