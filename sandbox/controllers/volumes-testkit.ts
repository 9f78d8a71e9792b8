import { Store } from '../apiserver/store.ts'
import { strategies } from '../apiserver/strategies/index.ts'
import { Journal } from '../journal/journal.ts'
import { Node, PersistentVolumeClaim, Pod, StorageClass } from '../kube/kinds.ts'
import { defaultProfile } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { StoreKube } from '../kube/store-kube.ts'
import { PodNetwork } from '../network/pod-network.ts'
import { kubeletFields, type RunningNode, startNode } from '../nodes/node.ts'
import { nodeAddresses } from '../nodes/node-object.ts'
import { plainPrograms } from '../nodes/plain-program.ts'
import { Registry } from '../nodes/registry.ts'
import { runScheduler } from '../scheduler/scheduler.ts'
import { VirtualClock } from '../world/clock.ts'
import { seconds } from '../world/time.ts'
import { createWorld } from '../world/world.ts'
import { attachDetachController } from './attach-detach.ts'
import { runController } from './controller.ts'
import { csiAttacher } from './csi-attacher.ts'
import { ephemeralVolumeController } from './ephemeral-volumes.ts'
import { garbageCollector } from './garbage-collector.ts'
import { persistentVolumeController } from './persistent-volumes.ts'
import { blockStorage, type StorageAssumptions, volumeProvisioner } from './volume-provisioner.ts'

/** Two nodes in two zones, a scheduler that knows volumes, and the controllers of storage. */
export function cluster(storage: StorageAssumptions = blockStorage) {
  const clock = new VirtualClock()
  const world = createWorld({ clock, seed: 3, journal: new Journal(clock) })
  const store = new Store({ world, strategies })
  const kube = (process: string, fields?: ReturnType<typeof kubeletFields>) =>
    new StoreKube({ world, store, profile: defaultProfile, process, ...(fields ? { fields } : {}) })
  const manager = kube('kube-controller-manager')
  for (const spec of [
    persistentVolumeController,
    attachDetachController(),
    ephemeralVolumeController,
    garbageCollector(),
  ])
    runController(spec, { world, kube: manager })
  runController(
    volumeProvisioner(() => storage),
    { world, kube: kube('csi-provisioner') },
  )
  runController(csiAttacher(), { world, kube: kube('csi-attacher') })
  runScheduler({ world, kube: kube('kube-scheduler'), volumes: true })
  const registry = new Registry({ clock, images: () => ({ sizeBytes: 1e6 }) })
  const nodes: RunningNode[] = ['a', 'b'].map((name, i) =>
    startNode({
      world,
      kube: kube(`kubelet/${name}`, kubeletFields(name)),
      node: {
        name,
        cpu: '8',
        memory: '32Gi',
        images: ['x'],
        labels: { 'topology.kubernetes.io/zone': `z-${name}` },
        ...nodeAddresses(i),
      },
      network: new PodNetwork(),
      registry,
      programFor: plainPrograms(),
      pullBytesPerSecond: 1e9,
      mountsClaims: true,
    }),
  )
  const at = (s: number) => clock.runUntil(seconds(s))
  at(20)
  // nobody here takes the taint of new nodes off
  for (const node of store.list(Node)) store.update(Node, { ...node, spec: { ...node.spec, taints: [] } }, 'test')
  return {
    store,
    nodes,
    at,
    pod: (name: string) => store.get(Pod, `default/${name}`),
    claim: (name: string) => store.get(PersistentVolumeClaim, `default/${name}`),
    events: (reason: string) =>
      world.journal.records.flatMap((r) => (r.type === 'event' && r.reason === reason ? [r.message] : [])),
  }
}

type Cluster = ReturnType<typeof cluster>

export const addClass = ({ store }: Cluster, name: string, spec: Partial<o.StorageClass> = {}) =>
  store.create(
    StorageClass,
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'disk.example.com',
      volumeBindingMode: 'WaitForFirstConsumer',
      ...spec,
    } as o.StorageClass,
    'kubectl',
  )

export const addClaim = ({ store }: Cluster, name: string, spec: Partial<o.PersistentVolumeClaim['spec']> = {}) =>
  store.create(
    PersistentVolumeClaim,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } }, ...spec },
    } as o.PersistentVolumeClaim,
    'kubectl',
  )

export const addPod = ({ store }: Cluster, name: string, claim: string, spec: Partial<o.PodSpec> = {}) =>
  store.create(
    Pod,
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: {
        containers: [{ name: 'main', image: 'x', imagePullPolicy: 'IfNotPresent' }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }],
        ...spec,
      },
    } as unknown as o.Pod,
    'kubectl',
  )

export const onNode = (name: string): Partial<o.PodSpec> => ({
  nodeSelector: { 'topology.kubernetes.io/zone': `z-${name}` },
})
export const why = (pod: o.Pod) => pod.status.conditions?.find(({ type }) => type === 'PodScheduled')?.message
export const phase = (c: Cluster, name: string) => c.pod(name).status.phase
