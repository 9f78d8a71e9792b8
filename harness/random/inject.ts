import { ApiError } from '../../sandbox/kube/errors.ts'
import { kindOf, Pod } from '../../sandbox/kube/kinds.ts'
import type { KubeObject, Pod as PodObject } from '../../sandbox/kube/objects.ts'
import { isActive } from '../../sandbox/kube/pods.ts'
import { cordon, uncordon } from '../../sandbox/kubectl/cordon.ts'
import { drain } from '../../sandbox/kubectl/drain.ts'
import type { Sandbox } from '../../sandbox/tiers/tier.ts'
import type { Task } from '../../sandbox/world/actor.ts'
import { seconds } from '../../sandbox/world/time.ts'
import type { ObjectsView } from '../objects-view.ts'
import { type FaultKind, keyOfWorkload, type PlannedFault, type RandomPlatform } from './platform.ts'

/** What faults are done with. */
export interface Hands {
  readonly sandbox: Sandbox
  readonly view: ObjectsView
  readonly platform: RandomPlatform
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
  'node-reclaim': (fault, { sandbox, platform }) => {
    const name = nodeOf(fault, platform)
    return sandbox.levers['node.reclaim']!(name, seconds(120 * fault.strength))
  },
  'gpu-xid': (fault, { sandbox, platform }) => {
    const groups = platform.nodes.filter(({ gpu }) => gpu)
    if (groups.length === 0) return undefined
    const xids = [13, 48, 63, 74, 79, 94, 95]
    const name = nodeOf(fault, { nodes: groups })
    const gpus = groups.find((group) => name.startsWith(`${group.name}-`))!.gpu!.count
    const xid = xids[Math.floor(fault.strength * xids.length)]!
    return sandbox.levers['gpu.health']!(name, Math.floor(fault.strength * 1000) % gpus, { xid })
  },
  drain: (fault, hands) => {
    const name = nodeOf(fault, hands.platform)
    const flags = { force: true, ignoreDaemonSets: true, deleteEmptyDirData: true, timeout: fault.forUs }
    const { world, kube } = hands.sandbox
    const actor = world.spawn(`kubectl/drain/${name}`, tolerant(drain(kube, name, flags)))
    return () => {
      actor.stop()
      ask(hands, uncordon(kube, name))
    }
  },
  cordon: (fault, hands) => {
    const name = nodeOf(fault, hands.platform)
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

function nodeOf({ which }: PlannedFault, { nodes }: Pick<RandomPlatform, 'nodes'>): string {
  const names = nodes.flatMap(({ name, count }) => Array.from({ length: count }, (_, i) => `${name}-${i}`))
  return names[Math.floor(which * names.length)]!
}

const onNode = (
  fault: PlannedFault,
  { sandbox, platform }: Hands,
  lever: 'node.power' | 'node.network',
): (() => void) => sandbox.levers[lever]!(nodeOf(fault, platform))

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

/** Asks the API server for something it may refuse. */
const ask = ({ sandbox }: Hands, task: Task<unknown>): void => {
  sandbox.world.spawn('kubectl', tolerant(task))
}

function* tolerant(task: Task<unknown>): Task {
  try {
    yield* task
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}
