import fc, { type Arbitrary } from 'fast-check'
import { seconds, toRfc3339, type Us } from '../../world/time.ts'
import type * as o from '../objects.ts'
import { formatQuantity, parseQuantity } from '../quantity.ts'

/** Random pods and what is in them, for comparisons with Kubernetes' own functions. Times are within 4 hours. */

export const SPAN = 4 * 3600
/** Whole seconds, as objects hold them. */
export const time: Arbitrary<Us> = fc.integer({ min: 0, max: SPAN }).map(seconds)
const stamp = time.map(toRfc3339)

/** A field that may be absent. */
export const maybe = <T>(value: Arbitrary<T>): Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

const amount = fc.oneof(
  fc.constantFrom('0', '1', '2', '100m', '250m', '1500m', '1Gi', '512Mi', '1G', '0.5', '1e3', '3'),
  fc.integer({ min: 0, max: 4000 }).map((n) => `${n}m`),
)
/** As the API server stores amounts. */
const stored = amount.map((text) => formatQuantity(parseQuantity(text)))
const NAMES = ['cpu', 'memory', 'ephemeral-storage', 'nvidia.com/gpu', 'hugepages-2Mi', 'storage']
const list = fc.dictionary(fc.constantFrom(...NAMES), stored, { maxKeys: 3 })

export const resources: Arbitrary<NonNullable<o.Container['resources']>> = fc
  .record({ requests: maybe(list), limits: maybe(list) })
  .map(defined)

/** The object without fields that are undefined. */
export function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}

const container = (name: string, init: boolean): Arbitrary<o.Container> =>
  fc
    .record({
      name: fc.constant(name),
      image: fc.constant('app:1'),
      resources,
      restartPolicy: init ? maybe(fc.constant('Always' as const)) : fc.constant(undefined),
    })
    .map((made) => defined(made) as o.Container)

const named = (prefix: string, init: boolean, minLength: number): Arbitrary<o.Container[]> =>
  fc
    .integer({ min: minLength, max: 3 })
    .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => container(`${prefix}${i}`, init))))

export const podSpec: Arbitrary<o.PodSpec> = fc
  .record({
    containers: named('c', false, 1),
    initContainers: maybe(named('i', true, 1)),
    overhead: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: list }),
    resources: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: resources }),
    nodeName: maybe(fc.constantFrom('n1', 'n2', 'n3')),
    restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
    priorityClassName: maybe(fc.constantFrom('high', 'low')),
    activeDeadlineSeconds: maybe(fc.integer({ min: 0, max: 100 })),
  })
  .map((spec) => defined(spec) as unknown as o.PodSpec)

const readyCondition = fc
  .record({
    type: fc.constantFrom('Ready', 'PodScheduled'),
    status: fc.constantFrom('True' as const, 'False' as const, 'Unknown' as const),
    lastTransitionTime: maybe(stamp),
  })
  .map((made) => defined(made) as o.Condition)

const state = fc.oneof(
  fc.constant({ waiting: { reason: 'ContainerCreating' } }),
  stamp.map((startedAt) => ({ running: { startedAt } })),
  fc.record({
    terminated: fc
      .record({ exitCode: fc.constantFrom(0, 1, 2, 137, 143), finishedAt: maybe(stamp), startedAt: maybe(stamp) })
      .map(defined),
  }),
)

const statusOf = (name: string): Arbitrary<o.ContainerStatus> =>
  fc
    .record({
      name: fc.constant(name),
      state,
      lastState: fc.oneof(
        fc.constant({}),
        fc.record({ terminated: fc.record({ exitCode: fc.constantFrom(0, 1, 137) }) }),
      ),
      ready: fc.boolean(),
      started: maybe(fc.boolean()),
      restartCount: fc.constantFrom(0, 0, 1, 2, 5),
      image: fc.constant('app:1'),
      imageID: fc.constant(''),
    })
    .map((made) => defined(made) as unknown as o.ContainerStatus)

const statusesOf = (containers: readonly o.Container[] = []): Arbitrary<o.ContainerStatus[] | undefined> =>
  containers.length === 0
    ? fc.constant(undefined)
    : maybe(
        fc
          .tuple(...containers.map(({ name }) => maybe(statusOf(name))))
          .map((all) => all.filter((s) => s !== undefined)),
      )

export const pod: Arbitrary<o.Pod> = podSpec.chain((spec) =>
  fc
    .record({
      index: fc.integer({ min: 0, max: 999 }),
      creationTimestamp: stamp,
      deletionTimestamp: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: stamp }),
      deletionGracePeriodSeconds: fc.constantFrom(0, 30, 600),
      cost: fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        {
          weight: 1,
          arbitrary: fc.constantFrom('0', '1', '-5', '100', '01', '+1', '2147483647', '2147483648', 'x', '-0'),
        },
      ),
      phase: fc.constantFrom(
        'Pending' as const,
        'Running' as const,
        'Running' as const,
        'Succeeded' as const,
        'Failed' as const,
      ),
      conditions: maybe(fc.uniqueArray(readyCondition, { selector: ({ type }) => type, maxLength: 2 })),
      containerStatuses: statusesOf(spec.containers),
      initContainerStatuses: statusesOf(spec.initContainers),
    })
    .map((made) => assembled(spec, made)),
)

interface Made {
  readonly index: number
  readonly creationTimestamp: string
  readonly deletionTimestamp: string | undefined
  readonly deletionGracePeriodSeconds: number
  readonly cost: string | undefined
  readonly phase: o.PodStatus['phase']
  readonly conditions: o.Condition[] | undefined
  readonly containerStatuses: o.ContainerStatus[] | undefined
  readonly initContainerStatuses: o.ContainerStatus[] | undefined
}

function assembled(spec: o.PodSpec, made: Made): o.Pod {
  const { index, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, cost, ...status } = made
  const metadata = defined({
    name: `p${index}`,
    namespace: 'default',
    uid: `uid-${index}`,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds: deletionTimestamp && deletionGracePeriodSeconds,
    annotations: cost === undefined ? undefined : { 'controller.kubernetes.io/pod-deletion-cost': cost },
  })
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec, status: defined(status) } as unknown as o.Pod
}

/** Pods whose names and uids differ. */
export const podsOf = (maxLength: number): Arbitrary<o.Pod[]> =>
  fc.uniqueArray(pod, { selector: ({ metadata }) => metadata.name, minLength: 1, maxLength })
