import type * as o from '../../kube/objects.ts'
import { parseQuantity } from '../../kube/quantity.ts'

type Qos = NonNullable<o.PodStatus['qosClass']>
type Resources = { requests?: Record<string, string>; limits?: Record<string, string> }

const COMPUTE = ['cpu', 'memory'] as const

const known = new WeakMap<o.PodSpec, Qos>()

/** The QoS class of a pod. Follows pkg/apis/core/helper/qos/qos.go ComputePodQOS. */
export function qosClass(spec: o.PodSpec): Qos {
  const before = known.get(spec)
  if (before) return before
  const made = compute(spec)
  if (Object.isFrozen(spec)) known.set(spec, made)
  return made
}

function compute(spec: o.PodSpec): Qos {
  const all: Resources[] = spec.resources
    ? [spec.resources]
    : [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.resources)
  const requests = sum(all.map((resources) => resources.requests ?? {}))
  const limits = sum(all.map((resources) => resources.limits ?? {}))
  if (requests.size === 0 && limits.size === 0) return 'BestEffort'
  const allLimited = all.every(({ limits: own = {} }) => COMPUTE.every((name) => amount(own[name]) > 0n))
  const guaranteed =
    allLimited && requests.size === limits.size && [...requests].every(([name, nanos]) => limits.get(name) === nanos)
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

const amount = (text: string | undefined): bigint => (text === undefined ? 0n : parseQuantity(text).nanos)

function sum(lists: readonly Record<string, string>[]): Map<string, bigint> {
  const total = new Map<string, bigint>()
  for (const list of lists)
    for (const name of COMPUTE) {
      const nanos = amount(list[name])
      if (nanos > 0n) total.set(name, (total.get(name) ?? 0n) + nanos)
    }
  return total
}
