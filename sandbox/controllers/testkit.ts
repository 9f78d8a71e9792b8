import { Store } from '../apiserver/store.ts'
import { strategies } from '../apiserver/strategies/index.ts'
import { Journal } from '../journal/journal.ts'
import { Deployment, keyOf, Node, Pod, ReplicaSet } from '../kube/kinds.ts'
import type { LagProfile } from '../kube/lag.ts'
import { instant } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { StoreKube } from '../kube/store-kube.ts'
import { VirtualClock } from '../world/clock.ts'
import { ms, seconds, toRfc3339, type Us } from '../world/time.ts'
import { createWorld, type World } from '../world/world.ts'
import { type ControllerSpec, runController } from './controller.ts'

/** A control plane for tests, with a kubelet that runs every pod at once. */
export interface TestCluster {
  readonly clock: VirtualClock
  readonly world: World<VirtualClock>
  readonly store: Store
  readonly profile: LagProfile
  /** The Kube of a process. */
  kube(process: string): StoreKube
  /** The Events so far, as `reason: message`. */
  events(): string[]
  pods(): o.Pod[]
}

export interface TestClusterOptions {
  readonly controllers: readonly ControllerSpec[]
  readonly profile?: LagProfile
  readonly seed?: number
  readonly kubelet?: Partial<KubeletOptions> | false
}

export function testCluster(options: TestClusterOptions): TestCluster {
  const { controllers, profile = instant, seed = 1, kubelet = {} } = options
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed, journal: new Journal(clock) })
  const store = new Store({ world, strategies })
  const kube = (process: string) => new StoreKube({ world, store, profile, process })
  store.create(Node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, ...NODE } as o.Node, 'test')
  const manager = kube('kube-controller-manager')
  for (const spec of controllers) runController(spec, { world, kube: manager })
  if (kubelet) runKubelet(world, store, { ...DEFAULT_KUBELET, ...kubelet })
  return {
    clock,
    world,
    store,
    profile,
    kube,
    events: () => world.journal.records.flatMap((r) => (r.type === 'event' ? [`${r.reason}: ${r.message}`] : [])),
    pods: () => store.list(Pod),
  }
}

interface KubeletOptions {
  /** From the creation of a pod to Ready; Infinity for never. */
  readyAfter(pod: o.Pod): Us
  /** From the deletion of a pod to its end. */
  goneAfter: Us
  started?(pod: o.Pod): void
  /** The pod's process is told to end. */
  stopping?(pod: o.Pod): void
  gone?(pod: o.Pod): void
}

const DEFAULT_KUBELET: KubeletOptions = { readyAfter: () => ms(100), goneAfter: ms(100) }

const NODE = { spec: {}, status: { capacity: {}, allocatable: {} } }

/** Binds and runs each pod without a scheduler, and ends those that are deleted. Sees the store without lag. */
function runKubelet(world: World<VirtualClock>, store: Store, options: KubeletOptions): void {
  const { clock } = world
  const by = 'kubelet/n1'
  let address = 1
  const run = (created: o.Pod) => {
    const key = keyOf(created)
    const alive = () => store.peek(Pod, key)?.metadata.uid === created.metadata.uid
    if (!created.spec.nodeName) store.bind(Pod, key, created.metadata.uid, 'n1', by)
    const delay = options.readyAfter(created)
    if (delay === Number.POSITIVE_INFINITY) return
    clock.after(delay, () => {
      if (!alive()) return
      const pod = store.get(Pod, key)
      if (pod.metadata.deletionTimestamp) return
      const podIP = `10.244.${address >> 8}.${address++ & 255}`
      store.updateStatus(Pod, readyPod(pod, podIP, clock.now), by)
      options.started?.(store.get(Pod, key))
    })
  }
  const end = (pod: o.Pod) => {
    const { uid } = pod.metadata
    options.stopping?.(pod)
    clock.after(options.goneAfter, () => {
      if (store.peek(Pod, keyOf(pod))?.metadata.uid !== uid) return
      options.gone?.(pod)
      store.delete(Pod, keyOf(pod), by, { gracePeriodSeconds: 0, uid })
    })
  }
  store.watch(Pod, {}, ({ verb, before, object }) => {
    // the kubelet acts after the write that it sees, never inside of it
    if (verb === 'ADDED') clock.after(0, () => run(object))
    else if (verb === 'MODIFIED' && object.metadata.deletionTimestamp && !before?.metadata.deletionTimestamp)
      clock.after(0, () => end(object))
  })
}

function readyPod(pod: o.Pod, podIP: string, now: Us): o.Pod {
  const ready: o.Condition = { type: 'Ready', status: 'True', lastTransitionTime: toRfc3339(now) }
  const others = (pod.status.conditions ?? []).filter((c) => c.type !== 'Ready')
  const status: o.PodStatus = {
    ...pod.status,
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [...others, ready],
  }
  return { ...pod, status }
}

/** A Deployment of one container. `image` tells templates apart. */
export function deploymentOf(
  replicas: number,
  spec: Partial<Omit<o.Deployment['spec'], 'template'>> & { image?: string } = {},
): o.Deployment {
  const { image = 'v1', ...rest } = spec
  const labels = { app: 'web' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' } as o.ObjectMeta,
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: podTemplate(labels, image),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...rest,
    },
    status: {},
  }
}

export function podTemplate(labels: Record<string, string>, image: string): o.PodTemplateSpec {
  const container: o.Container = {
    name: 'main',
    image,
    imagePullPolicy: 'IfNotPresent',
    resources: {},
    ports: [{ name: 'http', containerPort: 8000, protocol: 'TCP' }],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  }
  return {
    metadata: { labels },
    spec: {
      containers: [container],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      securityContext: {},
    },
  }
}

export const WEB = 'default/web'

/** Gives the Deployment another image, as `kubectl set image` would. */
export function setImage({ store }: TestCluster, image: string): void {
  const { spec } = store.get(Deployment, WEB)
  const [container] = spec.template.spec.containers
  const containers = [{ ...container!, image }]
  store.patch(Deployment, WEB, { spec: { template: { spec: { containers } } } }, 'kubectl')
}

/** Each ReplicaSet's image with its wanted and ready pods, oldest first. */
export const rollout = ({ store }: TestCluster): string[] =>
  store
    .list(ReplicaSet)
    .map(
      ({ spec, status }) => `${spec.template.spec.containers[0]!.image} ${status.readyReplicas ?? 0}/${spec.replicas}`,
    )

/** Waits long enough for a small rollout. */
export const settle = ({ clock }: TestCluster, duration: Us = seconds(60)): void => clock.runUntil(clock.now + duration)

/** A Service for the pods of `deploymentOf`, on port 80. */
export function serviceOf(spec: Partial<o.Service['spec']> = {}): o.Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' } as o.ObjectMeta,
    spec: {
      type: 'ClusterIP',
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 8000, protocol: 'TCP' }],
      sessionAffinity: 'None',
      ...spec,
    },
  }
}
