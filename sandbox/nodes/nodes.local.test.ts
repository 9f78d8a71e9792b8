import { afterAll, it as always, beforeAll, expect, vi } from 'vitest'
import { Journal } from '../journal/journal.ts'
import { Deployment, Lease, Node, Pod } from '../kube/kinds.ts'
import { raisedQps } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { collectionPath, objectPath } from '../kube/remote/paths.ts'
import { RemoteCluster } from '../kube/remote/remote-cluster.ts'
import type { RemoteKube } from '../kube/remote/remote-kube.ts'
import { openRest, type Rest } from '../kube/remote/rest.ts'
import { PodNetwork } from '../network/pod-network.ts'
import { whyUnavailable } from '../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../tiers/control-plane/control-plane.ts'
import { seconds } from '../world/time.ts'
import { WallClock } from '../world/wall-clock.ts'
import { createWorld } from '../world/world.ts'
import { kubeletFields, type RunningNode, startNode } from './node.ts'
import { nodeAddresses } from './node-object.ts'
import { plainPrograms } from './plain-program.ts'
import { Registry } from './registry.ts'

const it = always.skipIf(await whyUnavailable())
vi.setConfig({ testTimeout: 300_000 })

const NODES = 50
const REPLICAS = 200
const RAISED = ['--kube-api-qps=1000', '--kube-api-burst=2000']

let controlPlane: ControlPlane
let rest: Rest
let cluster: RemoteCluster
let user: RemoteKube
const errors: unknown[] = []
const clock = new WallClock({ onError: (error) => errors.push(error) })
const nodes: RunningNode[] = []
const kubelets: RemoteKube[] = []

beforeAll(async () => {
  if (await whyUnavailable()) return
  controlPlane = await startControlPlane({ controllerManager: RAISED, scheduler: RAISED })
  rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
  const world = createWorld({ clock, seed: 1, journal: new Journal(clock) })
  cluster = new RemoteCluster({ world, rest, limits: raisedQps.clients })
  user = cluster.kubeOf('kubectl')
  await user.sync(Node, Pod, Lease)
  const network = new PodNetwork()
  const registry = new Registry({ clock, images: () => ({ sizeBytes: 1e9 }) })
  const programFor = plainPrograms()
  for (let i = 0; i < NODES; i++) {
    const name = `node-${i}`
    const kube = cluster.kubeOf(`kubelet/${name}`, kubeletFields(name))
    const node = { name, cpu: '8', memory: '32Gi', images: ['server:1'], ...nodeAddresses(i) }
    const shared = { world, network, registry, programFor }
    kubelets.push(kube)
    nodes.push(startNode({ ...shared, kube, node, renewLease: true, pullBytesPerSecond: 1e9 }))
  }
}, 120_000)

afterAll(async () => {
  cluster?.stop()
  clock.stop()
  await controlPlane?.stop()
})

const PATIENCE_S = 280

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = clock.now + seconds(PATIENCE_S)
  while (!condition()) {
    if (errors.length > 0) throw errors[0]
    if (clock.now > deadline) throw new Error(`not within ${PATIENCE_S} s: ${what}`)
    await new Promise<void>((resolve) => clock.after(20_000, resolve))
  }
}

const isReady = (conditions: readonly o.Condition[] | undefined) =>
  conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
const pods = () => user.list(Pod, { namespace: 'default' })
const send = (method: 'POST' | 'DELETE', path: string, body?: unknown) =>
  rest.send({ method, path, body, process: 'kubectl' })

it('runs 200 pods of a Deployment on 50 nodes of one process', async () => {
  await until('all nodes Ready', () => user.list(Node).filter((n) => isReady(n.status.conditions)).length === NODES)
  const template = {
    metadata: { labels: { app: 'server' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'server', image: 'server:1', resources: { requests: { cpu: '2' } } }],
    },
  }
  const spec = { replicas: REPLICAS, selector: { matchLabels: { app: 'server' } }, template }
  const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'server' }, spec }
  await send('POST', collectionPath(Deployment, 'default'), body)
  await until('all pods Ready', () => pods().filter((p) => isReady(p.status.conditions)).length === REPLICAS)
  // four fit on each
  for (const [i, kubelet] of kubelets.entries()) {
    const own = kubelet.list(Pod)
    expect(own.map((p) => p.spec.nodeName)).toEqual(Array.from({ length: 4 }, () => `node-${i}`))
    expect(own.map((p) => user.get(Pod, `default/${p.metadata.name}`))).toEqual(own)
  }
  expect(user.list(Lease, { namespace: 'kube-node-lease' })).toHaveLength(NODES)
  const renewed = () => user.list(Lease, { namespace: 'kube-node-lease' }).map(({ spec }) => spec.renewTime)
  const before = renewed()
  await until('every lease renewed', () => renewed().every((time, i) => time !== before[i]))
})

it('hears no more of a node that is off, while the others end their pods', async () => {
  nodes[0]!.powerOff()
  kubelets[0]!.stop()
  const held = kubelets[0]!.list(Pod)
  await send('DELETE', objectPath(Deployment, 'default/server'), { propagationPolicy: 'Background' })
  await until('pods of the others gone', () => pods().length === 4)
  expect(pods().map((p) => p.spec.nodeName)).toEqual(Array.from({ length: 4 }, () => 'node-0'))
  expect(pods().every((p) => p.metadata.deletionTimestamp !== undefined)).toBe(true)
  expect(kubelets[0]!.list(Pod)).toEqual(held)
  expect(errors).toEqual([])
})
