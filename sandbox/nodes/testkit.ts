import { Store } from '../apiserver/store.ts'
import { strategies } from '../apiserver/strategies/index.ts'
import { Journal } from '../journal/journal.ts'
import type { EventRecord } from '../journal/record.ts'
import { Node as NodeKind, Pod as PodKind } from '../kube/kinds.ts'
import { instant, type LagProfile } from '../kube/lag.ts'
import type { Draft, Pod } from '../kube/objects.ts'
import { StoreKube } from '../kube/store-kube.ts'
import { PodNetwork } from '../network/pod-network.ts'
import { VirtualClock } from '../world/clock.ts'
import { seconds, type Us } from '../world/time.ts'
import { createWorld } from '../world/world.ts'
import type { ProgramFor } from './kubelet-context.ts'
import { kubeletFields, type RunningNode, startNode } from './node.ts'
import { type KubeletAddress, type NodeSpec, nodeAddresses } from './node-object.ts'
import { plainPrograms } from './plain-program.ts'
import type { ProgramContext, RunningProgram } from './program.ts'
import { type ImageSource, Registry } from './registry.ts'
import type { Traffic } from './traffic.ts'

export interface TestNodeOptions {
  profile?: LagProfile
  seed?: number
  node?: Partial<NodeSpec>
  programFor?: ProgramFor
  images?: ImageSource
  pullBytesPerSecond?: number
  traffic?: Traffic
  renewLease?: boolean
  kubeletApi?: KubeletAddress
}

/** One node with a store of its own, for tests. The image `x` is on it; others have 1 GB. */
export function testNode(options: TestNodeOptions = {}) {
  const clock = new VirtualClock()
  const journal = new Journal(clock)
  const world = createWorld({ clock, seed: options.seed ?? 1, journal })
  const store = new Store({ world, strategies })
  const network = new PodNetwork()
  const registry = new Registry({ clock, images: options.images ?? (() => ({ sizeBytes: 1e9 })) })
  const kube = new StoreKube({
    world,
    store,
    profile: options.profile ?? instant,
    process: 'kubelet/node-0',
    fields: kubeletFields('node-0'),
  })
  const node: RunningNode = startNode({
    world,
    kube,
    node: { name: 'node-0', cpu: '64', memory: '512Gi', images: ['x'], ...nodeAddresses(0), ...options.node },
    network,
    registry,
    programFor: options.programFor ?? plainPrograms(),
    pullBytesPerSecond: options.pullBytesPerSecond ?? 100e6,
    ...(options.traffic ? { traffic: options.traffic } : {}),
    ...(options.renewLease ? { renewLease: true } : {}),
    ...(options.kubeletApi ? { kubeletApi: options.kubeletApi } : {}),
  })
  const at = (s: number) => clock.runUntil(seconds(s))
  at(1)
  return {
    clock,
    journal,
    store,
    network,
    registry,
    node,
    at,
    create: (pod: Draft<Pod>): Pod => store.create(PodKind, pod, 'test'),
    pod: (name = 'web'): Pod => store.get(PodKind, `default/${name}`),
    gone: (name = 'web'): boolean => store.peek(PodKind, `default/${name}`) === undefined,
    nodeObject: () => store.get(NodeKind, 'node-0'),
    events: (reason?: string): EventRecord[] =>
      journal.records.filter((r) => r.type === 'event').filter((r) => reason === undefined || r.reason === reason),
  }
}

type Loose = Record<string, unknown>

/** A pod bound to the test node. Each container runs image `x` unless it says otherwise. */
export function testPod(spec: { containers: Loose[] } & Loose, name = 'web'): Draft<Pod> {
  const fill = (container: unknown) => ({ image: 'x', imagePullPolicy: 'IfNotPresent', ...(container as Loose) })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: 'node-0',
      ...spec,
      containers: spec.containers.map(fill),
      ...(spec.initContainers ? { initContainers: (spec.initContainers as Loose[]).map(fill) } : {}),
    },
  } as unknown as Draft<Pod>
}

/** When, in seconds, each event with the reason was recorded. */
export const timesOf = (events: readonly EventRecord[]): number[] => events.map((e) => e.at / 1e6)

export interface ScriptedRun {
  readonly container: string
  readonly startedAt: Us
  readonly signals: { at: Us; signal: string }[]
  endedAt?: Us
}

/** Programs whose behaviour a test gives; `runs` tells of every start. */
export function scripted(behave: (context: ProgramContext, run: ScriptedRun) => Partial<RunningProgram> | undefined) {
  const runs: ScriptedRun[] = []
  const programFor: ProgramFor = () => ({
    name: 'scripted',
    start(context) {
      const run: ScriptedRun = { container: context.container.name, startedAt: context.clock.now, signals: [] }
      runs.push(run)
      const exit = (code: number) => {
        run.endedAt = context.clock.now
        context.exit(code)
      }
      const own = behave({ ...context, exit }, run) ?? {}
      return {
        httpGet: () => ({ kind: 'refused' }),
        accepts: () => false,
        ...own,
        signal(signal) {
          run.signals.push({ at: context.clock.now, signal })
          if (signal === 'SIGKILL') run.endedAt = context.clock.now
          own.signal?.(signal)
        },
      }
    },
  })
  return { runs, programFor }
}
