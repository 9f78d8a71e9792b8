import type * as o from '../../kube/objects.ts'
import { condition } from '../../kube/pods.ts'
import { fromRfc3339, toRfc3339, type Us } from '../../world/time.ts'

/** What the controller remembers of one node between passes. */
export interface NodeHealth {
  /** When there was last a sign of life, by the controller's own clock. */
  probeAt: Us
  /** The newest renewal that was counted, as `Heartbeats` gives it. */
  renewalSeenAt: Us | undefined
  /** The Ready condition as it was then. */
  ready: o.Condition | undefined
}

export interface GracePeriods {
  /** Silence after which a node is not known any more: `--node-monitor-grace-period`. */
  readonly monitorGrace: Us
  /** The same for a node whose kubelet never posted a status: `--node-startup-grace-period`. */
  readonly startupGrace: Us
}

/** The node's record after looking at its conditions. Follows the first half of tryUpdateNodeHealth. */
export function observed(health: NodeHealth | undefined, node: o.Node, now: Us): NodeHealth {
  const ready = condition(node, 'Ready')
  if (!health)
    return {
      probeAt: ready ? now : fromRfc3339(node.metadata.creationTimestamp),
      renewalSeenAt: undefined,
      ready,
    }
  const saved = health.ready
  if (Boolean(saved) !== Boolean(ready)) return { ...health, probeAt: now, ready }
  return saved?.lastHeartbeatTime === ready?.lastHeartbeatTime
    ? { ...health, ready: saved }
    : { ...health, probeAt: now, ready }
}

const KUBELET_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/** The node with all that its kubelet would say unknown; the node itself when that is so already. */
export function silent(node: o.Node, now: Us): o.Node {
  const conditions = [...(node.status.conditions ?? [])]
  let changed = false
  const at = toRfc3339(now)
  for (const type of KUBELET_CONDITIONS) {
    const i = conditions.findIndex((c) => c.type === type)
    const before = conditions[i]
    if (before?.status === 'Unknown') continue
    changed ||= type === 'Ready'
    if (before)
      conditions[i] = {
        ...before,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: at,
      }
    else
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: at,
      })
  }
  return changed ? { ...node, status: { ...node.status, conditions } } : node
}

const BY_CONDITION: Readonly<Record<string, Readonly<Partial<Record<o.Condition['status'], string>>>>> = {
  Ready: { False: 'node.kubernetes.io/not-ready', Unknown: 'node.kubernetes.io/unreachable' },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
}

const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

const MANAGED: ReadonlySet<string> = new Set([
  UNSCHEDULABLE,
  ...Object.values(BY_CONDITION).flatMap((taints) => Object.values(taints)),
])

/** The NoSchedule taints a node's conditions ask for, against those it has. Follows doNoScheduleTaintingPass. */
export function noScheduleTaints(node: o.Node): { add: o.Taint[]; remove: o.Taint[] } {
  const effect = 'NoSchedule' as const
  const wanted = (node.status.conditions ?? []).flatMap((c) => BY_CONDITION[c.type]?.[c.status] ?? [])
  if (node.spec.unschedulable) wanted.push(UNSCHEDULABLE)
  const has = (node.spec.taints ?? []).filter((t) => t.effect === effect && MANAGED.has(t.key)).map((t) => t.key)
  return {
    add: wanted.filter((key) => !has.includes(key)).map((key) => ({ key, effect })),
    remove: has.filter((key) => !wanted.includes(key)).map((key) => ({ key, effect })),
  }
}
