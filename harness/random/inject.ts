import { kindOf, Pod } from '../../sandbox/kube/kinds.ts'
import type { KubeObject, Pod as PodObject } from '../../sandbox/kube/objects.ts'
import { isActive } from '../../sandbox/kube/pods.ts'
import { cordon, uncordon } from '../../sandbox/kubectl/cordon.ts'
import type { NoticeHandling, Sandbox } from '../../sandbox/tiers/tier.ts'
import type { Task } from '../../sandbox/world/actor.ts'
import { seconds } from '../../sandbox/world/time.ts'
import type { ObjectsView } from '../objects-view.ts'
import { ask, changeBudget, drainNodes, evictTogether, nodesOf, preempt } from './disrupt.ts'
import { type FaultKind, keyOfWorkload, type PlannedFault, type RandomPlatform } from './platform.ts'
import type { Tally } from './tally.ts'

/** What faults are done with. */
export interface Hands {
  readonly sandbox: Sandbox
  readonly view: ObjectsView
  readonly platform: RandomPlatform
  readonly tally: Tally
}

/** Does it now, to one of what is there. Returns how to undo it. */
export function inject(fault: PlannedFault, hands: Hands): () => void {
  return injectors[fault.kind](fault, hands) ?? (() => undefined)
}

type Injector = (fault: PlannedFault, hands: Hands) => (() => void) | undefined

const injectors: { readonly [kind in FaultKind]: Injector } = {
  'pod-delete': (fault, hands) => onPod(fault, hands, (key) => hands.sandbox.kube.delete(Pod, key)),
  'pod-delete-now': (fault, hands) =>
    onPod(fault, hands, (key) =>
      hands.sandbox.kube.delete(Pod, key, { gracePeriodSeconds: fault.strength < 0.5 ? 1 : 0 }),
    ),
  evict: (fault, hands) => onPod(fault, hands, (key) => hands.sandbox.kube.evict(key)),
  'process-kill': (fault, hands) => {
    const pod = podOf(fault, hands)
    return (
      pod &&
      hands.sandbox.levers['pod.process']!(
        `${pod.metadata.namespace}/${pod.metadata.name}`,
        pod.spec.containers[0]!.name,
      )
    )
  },
  'node-power': (fault, hands) => onNode(fault, hands, 'node.power'),
  'node-network': (fault, hands) => onNode(fault, hands, 'node.network'),
  'node-reclaim': (fault, { sandbox, view }) => {
    const name = nodeOf(fault, view)
    return name === undefined ? undefined : sandbox.levers['node.reclaim']!(name, seconds(120 * fault.strength))
  },
  'node-reclaim-told': (fault, { sandbox, view }) => {
    const name = nodeOf(fault, view)
    const notice = seconds(30 + 90 * fault.strength)
    const handling: NoticeHandling =
      fault.strength < 0.7
        ? { kind: 'drain', reactsAfter: seconds(2) }
        : { kind: 'graceful-shutdown', gracePeriod: seconds(30), criticalGracePeriod: seconds(10) }
    return name === undefined ? undefined : sandbox.levers['node.reclaim']!(name, notice, handling)
  },
  'rollout-node-loss': (fault, hands) => {
    injectors.rollout(fault, hands)
    return onNode(fault, hands, fault.strength < 0.5 ? 'node.power' : 'node.network')
  },
  'gpu-xid': (fault, { sandbox, platform, view }) => {
    const groups = platform.nodes.filter(({ gpu }) => gpu)
    if (groups.length === 0) return undefined
    const xids = [13, 48, 63, 74, 79, 94, 95]
    const name = nodeOf(fault, view, (node) => groups.some((group) => node.startsWith(`${group.name}-`)))
    if (name === undefined) return undefined
    const gpus = groups.find((group) => name.startsWith(`${group.name}-`))!.gpu!.count
    const xid = xids[Math.floor(fault.strength * xids.length)]!
    return sandbox.levers['gpu.health']!(name, Math.floor(fault.strength * 1000) % gpus, { xid })
  },
  drain: (fault, hands) => drainNodes(fault, hands, 1),
  'drain-many': (fault, hands) => drainNodes(fault, hands, 2 + Math.floor(fault.strength * 3)),
  'evict-burst': (fault, hands) => evictTogether(fault, hands),
  preempt: (fault, hands) => preempt(fault, hands),
  'budget-change': (fault, hands) => changeBudget(fault, hands),
  cordon: (fault, hands) => {
    const name = nodeOf(fault, hands.view)
    if (name === undefined) return undefined
    ask(hands, cordon(hands.sandbox.kube, name))
    return () => ask(hands, uncordon(hands.sandbox.kube, name))
  },
  rollout: (fault, hands) =>
    onWorkload(fault, hands, ['Deployment', 'StatefulSet', 'DaemonSet'], (object, key) =>
      hands.sandbox.kube.patch(kindOf(object), key, {
        spec: { template: { metadata: { annotations: { restarted: `at-${hands.sandbox.world.clock.now}` } } } },
      }),
    ),
  scale: (fault, hands) =>
    onWorkload(fault, hands, ['Deployment', 'StatefulSet'], (object, key) =>
      hands.sandbox.kube.patch(kindOf(object), key, { spec: { replicas: Math.floor(fault.strength * 8) } }),
    ),
  'workload-delete': (fault, hands) =>
    onWorkload(fault, hands, ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'], (object, key) =>
      hands.sandbox.kube.delete(kindOf(object), key, {
        propagationPolicy: (['Background', 'Foreground', 'Orphan'] as const)[Math.floor(fault.strength * 3)]!,
      }),
    ),
  'engine-hang': (fault, hands) => hands.sandbox.levers['engine.hang']!(someOf(fault)),
  'slow-weights': (fault, hands) => hands.sandbox.levers['engine.loadFactor']!(someOf(fault), 1 + 3 * fault.strength),
  'registry-slow': (fault, hands) => hands.sandbox.levers['registry.bandwidth']!(0.05 + fault.strength / 2),
  'metrics-apis-down': (_fault, hands) => hands.sandbox.levers['metrics.path']!('metrics-apis'),
  'prometheus-down': (_fault, hands) => hands.sandbox.levers['metrics.path']!('prometheus'),
  'scrapes-down': (fault, hands) => hands.sandbox.levers['metrics.path']!({ scrapes: someOf(fault) }),
  'series-gone': (fault, hands) =>
    hands.sandbox.levers['metrics.series']!((metric, pod) => metric.startsWith('vllm:num') && someOf(fault)(pod)),
}

/** Pods of about half of the workloads. */
const someOf =
  ({ which }: PlannedFault) =>
  (pod: PodObject): boolean =>
    (pod.metadata.labels?.['app'] ?? '').charCodeAt(1) % 2 === Math.floor(which * 2)

function podOf({ which }: PlannedFault, { view }: Hands): PodObject | undefined {
  const pods = view.list(Pod).filter(isActive)
  return pods[Math.floor(which * pods.length)]
}

function onPod(fault: PlannedFault, hands: Hands, act: (key: string) => Task): undefined {
  const pod = podOf(fault, hands)
  if (pod) ask(hands, act(`${pod.metadata.namespace}/${pod.metadata.name}`))
}

/** A node that is there now. */
function nodeOf({ which }: PlannedFault, view: ObjectsView, wanted: (name: string) => boolean = () => true) {
  const names = nodesOf(view).filter(wanted)
  return names[Math.floor(which * names.length)]
}

const onNode = (
  fault: PlannedFault,
  { sandbox, view }: Hands,
  lever: 'node.power' | 'node.network',
): (() => void) | undefined => {
  const name = nodeOf(fault, view)
  return name === undefined ? undefined : sandbox.levers[lever]!(name)
}

function onWorkload(
  { which }: PlannedFault,
  hands: Hands,
  kinds: readonly string[],
  act: (object: KubeObject, key: string) => Task<unknown>,
): undefined {
  const workloads = hands.platform.workloads.filter(({ kind }) => kinds.includes(kind))
  const workload = workloads[Math.floor(which * workloads.length)]
  if (!workload) return
  const apiVersion = workload.kind === 'Job' ? 'batch/v1' : 'apps/v1'
  ask(hands, act({ apiVersion, kind: workload.kind } as KubeObject, keyOfWorkload(workload)))
}
