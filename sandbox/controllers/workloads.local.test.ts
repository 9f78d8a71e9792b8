import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Journal } from '../journal/journal.ts'
import { DaemonSet, Event, Job, Node, Pod, StatefulSet } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type * as o from '../kube/objects.ts'
import { RemoteCluster } from '../kube/remote/remote-cluster.ts'
import { openRest } from '../kube/remote/rest.ts'
import { whyUnavailable } from '../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../tiers/control-plane/control-plane.ts'
import { sleep, type Task } from '../world/actor.ts'
import { ms, seconds, toRfc3339 } from '../world/time.ts'
import { WallClock } from '../world/wall-clock.ts'
import { createWorld, type World } from '../world/world.ts'
import { targetNode } from './daemonset/placement.ts'
import { daemonSetController } from './daemonset.ts'
import { garbageCollector } from './garbage-collector.ts'
import { jobController } from './job.ts'
import { statefulSetController } from './statefulset.ts'
import { podTemplate, testCluster } from './testkit.ts'
import { ttlAfterFinishedController } from './ttl-after-finished.ts'

const unavailable = await whyUnavailable()
const CONTROLLERS = ['statefulset', 'daemonset', 'job', 'garbage-collector', 'ttl-after-finished']

/** A control plane: the real one or ours. */
interface Place {
  readonly kube: Kube
  readonly world: World
  /** Runs a task to its end. */
  run<T>(task: Task<T>): Promise<T>
  /** `reason: message` of all Events about the workload, in the order in which they were written. */
  events(kind: string): Promise<string[]>
}

/** Binds pods, has them ready in a while (or ended, those of Jobs), and ends those that are deleted. */
function playKubelet({ kube, world }: Pick<Place, 'kube' | 'world'>): void {
  const seen = new Set<string>()
  const once = (what: string, task: Task) => {
    if (seen.has(what)) return
    seen.add(what)
    world.spawn(what, quietly(task))
  }
  const look = (pod: o.Pod) => {
    const { uid, deletionTimestamp } = pod.metadata
    if (deletionTimestamp) once(`end ${uid}`, endPod(kube, pod))
    else once(`run ${uid}`, runPod(kube, world, pod))
  }
  kube.watch(Pod, { added: look, updated: (_, pod) => look(pod) })
}

/** Others may have changed or deleted the pod: that is no error here. */
function* quietly(task: Task): Task {
  try {
    yield* task
  } catch {}
}

function* runPod(kube: Kube, world: World, pod: o.Pod): Task {
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`
  yield* kube.bind(key, pod.metadata.uid, targetNode(pod) ?? 'n1')
  yield* sleep(ms(300))
  const at = toRfc3339(world.clock.now)
  const isJob = pod.metadata.ownerReferences?.some(({ kind }) => kind === 'Job')
  const state = isJob ? { phase: 'Succeeded' } : { phase: 'Running' }
  const conditions = [{ type: 'Ready', status: isJob ? 'False' : 'True', lastTransitionTime: at }]
  yield* kube.patch(Pod, key, { status: { ...state, conditions } }, { subresource: 'status' })
}

function* endPod(kube: Kube, pod: o.Pod): Task {
  yield* sleep(ms(300))
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`
  yield* kube.delete(Pod, key, { gracePeriodSeconds: 0, uid: pod.metadata.uid })
}

const metadata = (name: string) => ({ name, namespace: 'default' })
const selector = { matchLabels: { app: 'web' } }
const template = (image: string, restartPolicy: 'Always' | 'Never' = 'Always') => {
  const made = podTemplate({ app: 'web' }, image)
  return { ...made, spec: { ...made.spec, restartPolicy } }
}

interface Act {
  readonly kind: string
  readonly names: RegExp
  steps(kube: Kube): Task<unknown>
}

/** What is done to each kind, with time for each step to be over. */
const ACTS: Readonly<Record<string, Act>> = {
  statefulset: {
    kind: 'StatefulSet',
    names: /(?!)/g,
    *steps(kube) {
      const volumeClaimTemplates = [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ]
      const spec = { replicas: 3, serviceName: 'web', selector, template: template('v1'), volumeClaimTemplates }
      yield* kube.create(StatefulSet, {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: metadata('web'),
        spec,
      } as never)
      yield* sleep(seconds(4))
      yield* kube.patch(StatefulSet, 'default/web', { spec: { template: template('v2') } })
      yield* sleep(seconds(5))
      const { status } = yield* kube.read(StatefulSet, 'default/web')
      const pod = yield* kube.read(Pod, 'default/web-1')
      yield* kube.patch(StatefulSet, 'default/web', { spec: { replicas: 1 } })
      yield* sleep(seconds(3))
      const { labels, ownerReferences } = pod.metadata
      const { hostname, subdomain, volumes } = pod.spec
      const owners = ownerReferences?.map(({ uid: _, ...ref }) => ref)
      return { status, labels, owners, hostname, subdomain, volumes }
    },
  },
  daemonset: {
    kind: 'DaemonSet',
    names: /(?<=agent-)\w{5}\b/g,
    *steps(kube) {
      for (const name of ['a', 'b']) {
        yield* kube.create(Node, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} } as never)
        // nobody here sees that it is Ready
        yield* kube.patch(Node, name, { spec: { taints: null } })
      }
      const spec = { selector, template: template('v1') }
      yield* kube.create(DaemonSet, {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: metadata('agent'),
        spec,
      } as never)
      yield* sleep(seconds(3))
      yield* kube.patch(DaemonSet, 'default/agent', { spec: { template: template('v2') } })
      yield* sleep(seconds(5))
      const pods = kube.list(Pod).filter(({ metadata: { name } }) => name.startsWith('agent-'))
      const { status } = yield* kube.read(DaemonSet, 'default/agent')
      const shown = pods.map(({ spec: { affinity, tolerations } }) => ({
        affinity,
        tolerations: [...(tolerations ?? [])].sort((x, y) => ((x.key ?? '') < (y.key ?? '') ? -1 : 1)),
      }))
      return { status, pods: shown.sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1)) }
    },
  },
  job: {
    kind: 'Job',
    names: /(?<=batch-\d-)\w{5}\b/g,
    *steps(kube) {
      const spec = { completions: 3, parallelism: 3, completionMode: 'Indexed', template: template('v1', 'Never') }
      yield* kube.create(Job, { apiVersion: 'batch/v1', kind: 'Job', metadata: metadata('batch'), spec } as never)
      yield* sleep(seconds(6))
      const { status, spec: stored } = yield* kube.read(Job, 'default/batch')
      const pods = kube.list(Pod).filter(({ metadata: { name } }) => name.startsWith('batch-'))
      const { template: _, selector: __, ...rest } = stored
      const shown = pods.map(({ metadata: { annotations, finalizers }, spec: { hostname, containers } }) => ({
        annotations,
        finalizers,
        hostname,
        env: containers[0]!.env,
      }))
      return { status, rest, pods: shown.sort((x, y) => ((x.hostname ?? '') < (y.hostname ?? '') ? -1 : 1)) }
    },
  },
}

/** Times and hashes are each side's own. */
const comparable = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, item) => (/Time$/.test(key) ? 'time' : item)).replaceAll(
      /\b(web-)?[bcdfghjklmnpqrstvwxz2456789]{8,10}\b(?=")/g,
      'hash',
    ),
  )

function simulated(): Place {
  const cluster = testCluster({
    controllers: [
      statefulSetController,
      daemonSetController(),
      jobController(),
      ttlAfterFinishedController,
      garbageCollector(),
    ],
    kubelet: false,
  })
  cluster.store.delete(Node, 'n1', 'test')
  const kube = cluster.kube('kubectl')
  const { world, clock } = cluster
  return {
    kube,
    world,
    async run(task) {
      const actor = world.spawn('act', task)
      while (!actor.done) clock.runUntil(clock.now + ms(100))
      let result: unknown
      world.spawn(
        'result',
        (function* () {
          result = yield* actor.join()
        })(),
      )
      return result as never
    },
    async events(kind) {
      return world.journal.records.flatMap((r) =>
        r.type === 'event' && r.kind === kind ? [`${r.reason}: ${r.message}`] : [],
      )
    },
  }
}

describe.skipIf(unavailable)('workloads, event by event, as the real controller manager has them', () => {
  let controlPlane: ControlPlane
  let real: Place
  const ours = unavailable ? undefined : simulated()
  const close: (() => void)[] = []

  beforeAll(async () => {
    controlPlane = await startControlPlane({
      apiserver: ['--disable-admission-plugins=ServiceAccount'],
      controllerManager: [`--controllers=${CONTROLLERS.map((name) => `${name}-controller`).join(',')}`],
    })
    const rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
    const clock = new WallClock({ onError: () => {} })
    const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
    const cluster = new RemoteCluster({ world, rest })
    const kube = cluster.kubeOf('kubectl')
    await kube.sync(Pod, Event)
    // an Event that repeats another raises its count
    const heard: { kind: string | undefined; text: string }[] = []
    const hear = ({ involvedObject: { kind }, reason, message }: o.KubeEvent) =>
      void heard.push({ kind, text: `${reason}: ${message}` })
    kube.watch(Event, { added: hear, updated: (_, event) => hear(event) })
    close.push(
      () => cluster.stop(),
      () => clock.stop(),
    )
    real = {
      kube,
      world,
      run: (task) =>
        new Promise((resolve, reject) => {
          world.spawn(
            'act',
            (function* () {
              try {
                resolve(yield* task)
              } catch (error) {
                reject(error)
              }
            })(),
          )
        }),
      events: async (kind) => heard.flatMap((event) => (event.kind === kind ? [event.text] : [])),
    }
    for (const place of [real, ours!]) playKubelet(place)
  }, 120_000)
  afterAll(async () => {
    for (const end of close) end()
    await controlPlane?.stop()
  })

  it.each(Object.keys(ACTS))(
    '%s',
    async (name) => {
      const { kind, names, steps } = ACTS[name]!
      const outcome = async (place: Place) => {
        const result = await place.run(steps(place.kube) as Task<unknown>)
        const events = (await place.events(kind)).map((text) => text.replaceAll(names, 'x'))
        // pods of one batch are made side by side
        if (name === 'job') events.sort()
        return { result: comparable(result), events }
      }
      const [theirs, mine] = [await outcome(real), await outcome(ours!)]
      expect(mine).toEqual(theirs)
      expect(mine.events.length).toBeGreaterThan(2)
    },
    60_000,
  )
})
