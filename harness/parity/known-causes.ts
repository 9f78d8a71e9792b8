import type { Because, Difference } from './comparison.ts'

/** Why two tiers decide differently, and where. */
interface KnownCause {
  /** Left out: in every one. */
  readonly scenario?: string
  readonly stream: string
  readonly what: RegExp
  readonly sort?: Difference['sort']
  readonly why: string
}

/** Of decisions without a period of their own, on a machine whose load average was 20 to 40 with two processors. */
const BUSY =
  'The machine was busy with other work: in wall time harness and control plane waited seconds for a processor. Nothing periodic governs these decisions.'

/** Each was looked at: the text says what decides otherwise and why that is no fault of the simulation. */
export const knownCauses: readonly KnownCause[] = [
  {
    stream: 'scaling',
    what: /^HorizontalPodAutoscaler\/\S+ AbleToScale=True (ReadyForNewScale|ScaleDownStabilized)$/,
    why: 'While a metric is near a step of the replica count this reason changes from one look of the HPA to the next, and replicas do not. The two look at other instants of the same load.',
  },
  { stream: 'faults', sort: 'late', what: / (inject|heal)$/, why: BUSY },
  {
    scenario: 'xid-device-loss',
    sort: 'late',
    stream: 'placement',
    what: /^pod of DaemonSet\/kube-system\/nvidia-device-plugin /,
    why: BUSY,
  },
  {
    scenario: 'xid-device-loss',
    sort: 'late',
    stream: 'replicas',
    what: /^Deployment\/kube-system\/descheduler wants 1$/,
    why: BUSY,
  },
  {
    scenario: 'xid-device-loss',
    sort: 'late',
    stream: 'replicas',
    what: /^Deployment\/kube-system\/descheduler has 1 ready$/,
    why: BUSY,
  },
  {
    stream: 'placement',
    sort: 'only-b',
    what: /^pod of \S+: 0\/\d nodes are available: (1 node\(s\) had untolerated taint\(s\), )?\d Insufficient nvidia\.com\/gpu\. no new claims to deallocate, preemption: /,
    why: 'When the taint of a new node is removed that admission put on it, the real scheduler tries waiting pods again, in vain: the node has no GPUs yet. Ours leaves them where they are until the node has GPUs, as the hints of the plugin that rejected them say.',
  },
]

export function knownCause(scenario: string, difference: Difference): Because | undefined {
  const known = knownCauses.find(
    (cause) =>
      (cause.scenario ?? scenario) === scenario &&
      cause.stream === difference.stream &&
      (cause.sort ?? difference.sort) === difference.sort &&
      cause.what.test(difference.what),
  )
  return known && { sort: 'known', text: known.why }
}
