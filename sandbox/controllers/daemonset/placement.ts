import type * as o from '../../kube/objects.ts'
import { nodeSelector, selectorFromSet } from '../../kube/selectors.ts'
import { isTolerated } from '../../scheduler/framework/plugins/taints.ts'

// follows pkg/controller/daemon/util/daemonset_util.go and daemon_controller.go

type Toleration = Required<Pick<o.Toleration, 'key' | 'operator' | 'effect'>>

const exists = (name: string, effect: 'NoExecute' | 'NoSchedule'): Toleration => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect,
})

const ALWAYS = [
  exists('not-ready', 'NoExecute'),
  exists('unreachable', 'NoExecute'),
  exists('disk-pressure', 'NoSchedule'),
  exists('memory-pressure', 'NoSchedule'),
  exists('pid-pressure', 'NoSchedule'),
  exists('unschedulable', 'NoSchedule'),
]

/**
 * The tolerations of a daemon's pods: its own, and those of every daemon, which replace its own alike but for their time.
 * Follows AddOrUpdateDaemonPodTolerations and AddOrUpdateTolerationInPodSpec.
 */
export function daemonTolerations(spec: o.PodSpec): o.Toleration[] {
  const added = spec.hostNetwork ? [...ALWAYS, exists('network-unavailable', 'NoSchedule')] : ALWAYS
  const own = (spec.tolerations ?? []).map((given) => added.find((toleration) => alike(toleration, given)) ?? given)
  return [...own, ...added.filter((toleration) => !own.includes(toleration))]
}

const alike = (a: Toleration, { key, operator, value, effect }: o.Toleration): boolean =>
  a.key === key && a.operator === operator && a.effect === effect && !value

/** The affinity with the node's name in every required term. Follows ReplaceDaemonSetPodNodeNameNodeAffinity. */
export function onNode(affinity: o.Affinity | undefined, nodeName: string): o.Affinity {
  const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: [nodeName] }]
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      // what the template said of nodes was held against the node already
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  }
}

/** The node a daemon's pod is for, bound or not. Follows GetTargetNodeName. */
export function targetNode({ spec }: o.Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const named = matchFields.find((field) => field.key === 'metadata.name' && field.operator === 'In')
    if (named?.values?.length === 1) return named.values[0]
  }
  return undefined
}

export interface Verdict {
  readonly shouldRun: boolean
  readonly mayStay: boolean
}

const NO: Verdict = { shouldRun: false, mayStay: false }

/** Whether a daemon's pod belongs on the node, and whether one that is there may stay. Follows NodeShouldRunDaemonPod. */
export function judgeNode(set: o.DaemonSet, node: o.Node): Verdict {
  const { spec } = set.spec.template
  const { labels } = node.metadata
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return NO
  if (spec.nodeSelector && !selectorFromSet(spec.nodeSelector).matches(labels)) return NO
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required && !nodeSelector(required.nodeSelectorTerms)(node)) return NO
  const tolerations = daemonTolerations(spec)
  const untolerated = (node.spec.taints ?? []).filter((taint) => !isTolerated(tolerations, taint))
  if (untolerated.some(({ effect }) => effect === 'NoExecute')) return NO
  return { shouldRun: !untolerated.some(({ effect }) => effect === 'NoSchedule'), mayStay: true }
}
