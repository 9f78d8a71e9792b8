import type * as o from '../../kube/objects.ts'
import { isFinished } from '../../kube/pods.ts'
import type { Quantity } from '../../kube/quantity.ts'
import { isPodLevel, podLimits, podRequests } from '../../scheduler/framework/pod-requests.ts'
import { fromRfc3339, seconds, type Us } from '../../world/time.ts'
import { qosClass } from '../strategies/qos.ts'
import { isExtended } from '../validation/resources.ts'
import { type Amounts, amountsOf, ONE } from './amounts.ts'
import type { Evaluator } from './evaluator.ts'

const COUNT = 'count/pods'
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'] as const
const NAMES: ReadonlySet<string> = new Set([
  COUNT,
  'pods',
  ...COMPUTE.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
])
/** What every container must state where a quota limits it. */
const STATED: readonly string[] = ['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`])

/** How pods count against quotas. Follows pkg/quota/v1/evaluator/core/pods.go. */
export const podEvaluator: Evaluator<o.Pod> = {
  matching: (names) =>
    names.filter((name) => NAMES.has(name) || /^(requests\.)?hugepages-/.test(name) || isDevice(name)),
  usage: (pod, now) => (counts(pod, now) ? usageOf(pod.spec) : FINISHED),
  matchesScope,
  constraint,
  checksUpdate: (pod, before) => isTerminating(pod) !== isTerminating(before),
  frees: (before, after, now) =>
    isTerminating(before) !== isTerminating(after) || (counts(before, now) && !counts(after, now)),
}

/** A device in a quota: `requests.nvidia.com/gpu`. */
const isDevice = (name: string): boolean =>
  name.startsWith('requests.') && (isExtended(name.slice('requests.'.length)) || name.startsWith(DEVICE_CLASS))
const DEVICE_CLASS = 'requests.deviceclass.resource.kubernetes.io/'

/** Whether the pod uses resources: not when it has ended, nor when it should have. */
export function counts(pod: o.Pod, now: Us): boolean {
  if (isFinished(pod)) return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  if (!deletionTimestamp || deletionGracePeriodSeconds === undefined) return true
  return now <= fromRfc3339(deletionTimestamp) + seconds(deletionGracePeriodSeconds)
}

const FINISHED: Amounts = new Map([[COUNT, ONE]])
const usages = new WeakMap<o.PodSpec, Amounts>()

/** Worked out once for each spec: pods of a template share theirs. */
function usageOf(spec: o.PodSpec): Amounts {
  const before = usages.get(spec)
  if (before) return before
  const made = new Map([[COUNT, ONE], ...computeUsage(podRequests(spec), podLimits(spec))])
  usages.set(spec, made)
  return made
}

function computeUsage(requests: Amounts, limits: Amounts): Map<string, Quantity> {
  const usage = new Map([['pods', ONE]])
  for (const name of COMPUTE) {
    const request = requests.get(name)
    const limit = limits.get(name)
    if (request) usage.set(name, request).set(`requests.${name}`, request)
    if (limit) usage.set(`limits.${name}`, limit)
  }
  for (const [name, request] of requests) {
    if (name.startsWith('hugepages-')) usage.set(name, request).set(`requests.${name}`, request)
    else if (isExtended(name)) usage.set(`requests.${name}`, request)
  }
  return usage
}

function constraint(names: readonly string[], { spec }: o.Pod): string | undefined {
  const { requests = {}, limits = {} } = spec.resources ?? {}
  if ([...Object.keys(requests), ...Object.keys(limits)].some(isPodLevel)) return undefined
  const missing = new Map<string, Set<string>>()
  for (const { name, resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const stated = computeUsage(amountsOf(resources?.requests), amountsOf(resources?.limits))
    for (const wanted of names)
      if (STATED.includes(wanted) && !stated.has(wanted))
        missing.set(wanted, (missing.get(wanted) ?? new Set()).add(name))
  }
  if (missing.size === 0) return undefined
  const parts = [...missing.keys()].sort().map((name) => `${name} for: ${[...missing.get(name)!].sort().join(',')}`)
  return `must specify ${parts.join('; ')}`
}

function matchesScope({ scopeName, operator, values = [] }: o.ScopeRequirement, pod: o.Pod): boolean {
  switch (scopeName) {
    case 'Terminating':
      return isTerminating(pod)
    case 'NotTerminating':
      return !isTerminating(pod)
    case 'BestEffort':
      return qosClass(pod.spec) === 'BestEffort'
    case 'NotBestEffort':
      return qosClass(pod.spec) !== 'BestEffort'
    case 'PriorityClass':
      return classMatches(pod.spec.priorityClassName, operator, values)
    case 'CrossNamespacePodAffinity':
      return reachesOut(pod.spec.affinity?.podAffinity) || reachesOut(pod.spec.affinity?.podAntiAffinity)
    default:
      return false
  }
}

function classMatches(name: string | undefined, operator: o.ScopeRequirement['operator'], values: readonly string[]) {
  if (operator === 'Exists') return Boolean(name)
  if (operator === 'DoesNotExist') return !name
  return (Boolean(name) && values.includes(name!)) === (operator === 'In')
}

const isTerminating = ({ spec }: o.Pod): boolean => (spec.activeDeadlineSeconds ?? -1) >= 0

/** Whether a term of affinity looks at other namespaces. */
function reachesOut(affinity: o.Affinity['podAffinity']): boolean {
  const terms = [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm),
  ]
  return terms.some(({ namespaces, namespaceSelector }) => (namespaces?.length ?? 0) > 0 || Boolean(namespaceSelector))
}
