import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  Deployment,
  Job,
  type Kind,
  Namespace,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ResourceQuota,
  StatefulSet,
} from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { collectionPath, objectPath } from '../../kube/remote/paths.ts'
import { openRest, type Rest } from '../../kube/remote/rest.ts'
import { whyUnavailable } from '../../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../../tiers/control-plane/control-plane.ts'
import { resourceQuotaController } from '../resourcequota/resource-quota.ts'
import { settle, testCluster } from '../testkit.ts'
import { disruptionController } from './disruption.ts'

/** What kube-controller-manager makes of budgets and quotas, and what the simulated controllers make of the same objects. */

let controlPlane: ControlPlane
let rest: Rest

const unavailable = await whyUnavailable()
if (unavailable) console.log(`skipped: ${unavailable}`)

beforeAll(async () => {
  if (unavailable) return
  controlPlane = await startControlPlane({ controllerManager: [] })
  rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
}, 30 * 60_000)
afterAll(() => controlPlane?.stop())

const process = 'oracle'
const labels = { app: 'web' }
const resources = { requests: { cpu: '250m', memory: '1Gi' }, limits: { memory: '2Gi', 'nvidia.com/gpu': '1' } }
const template = (more: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'main', image: 'app:1', resources }], ...more },
})
const workload = { replicas: 3, selector: { matchLabels: labels }, template: template() }

/** The owner of the pods, and how many pods come of it. */
const owners: readonly (readonly [kind: Kind, spec: object, pods: number])[] = [
  [Deployment, workload, 3],
  [ReplicaSet, workload, 3],
  [StatefulSet, { ...workload, serviceName: 'web', podManagementPolicy: 'Parallel' }, 3],
  [Job, { parallelism: 2, completions: 2, template: template({ restartPolicy: 'Never' }) }, 2],
  [Pod, template().spec, 1],
]

const budgets: Readonly<Record<string, object>> = {
  'min-1': { minAvailable: 1 },
  'min-9': { minAvailable: 9 },
  'min-half': { minAvailable: '50%' },
  'max-1': { maxUnavailable: 1 },
  'max-third': { maxUnavailable: '34%' },
  'max-none': { maxUnavailable: 0 },
  neither: {},
}

const hard = {
  ...{ pods: '9', cpu: '9', memory: '99Gi', 'requests.cpu': '9', 'limits.memory': '99Gi', 'limits.cpu': '9' },
  ...{ 'requests.nvidia.com/gpu': '9', 'count/pods': '9', 'count/replicasets.apps': '5', 'count/jobs.batch': '5' },
}

const send = (method: 'GET' | 'POST' | 'PATCH', path: string, body?: object) =>
  rest.send({ method, path, body, process })

async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const value = await read()
    if (holds(value)) return value
    if (tries > 150) throw new Error(`never came to be: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const items = async <T extends o.KubeObject>(kind: Kind<T>, namespace: string): Promise<T[]> =>
  ((await send('GET', collectionPath(kind, namespace))) as { items: T[] }).items

async function makeReal(owner: (typeof owners)[number], namespace: string): Promise<void> {
  const [kind, spec, count] = owner
  await send('POST', collectionPath(Namespace), { metadata: { name: namespace } })
  const metadata = { name: 'web', ...(kind.id === Pod.id && { labels }) }
  await eventually(
    async () =>
      send('POST', collectionPath(kind, namespace), { metadata, spec }).then(
        () => true,
        () => false,
      ),
    (made) => made,
  )
  const pods = await eventually(
    () => items(Pod, namespace),
    (list) => list.length === count,
  )
  for (const pod of pods.slice(0, 2)) {
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }]
    const path = objectPath(Pod, `${namespace}/${pod.metadata.name}`, 'status')
    await send('PATCH', path, { status: { phase: 'Running', conditions } })
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  for (const [name, fields] of Object.entries(budgets))
    await send('POST', collectionPath(PodDisruptionBudget, namespace), budget(name, fields))
  await send('POST', collectionPath(ResourceQuota, namespace), { metadata: { name: 'team' }, spec: { hard } })
}

const budget = (name: string, fields: object) => ({
  metadata: { name },
  spec: { selector: { matchLabels: labels }, ...fields },
})

const shown = ({ status }: o.PodDisruptionBudget) => ({
  ...status,
  conditions: status.conditions?.map(({ lastTransitionTime: _, ...condition }) => condition),
})

/** The same objects before the simulated controllers. */
async function simulate(namespace: string) {
  const cluster = testCluster({ controllers: [disruptionController, resourceQuotaController()], kubelet: false })
  const { store } = cluster
  store.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, 'test')
  const uids = new Map<string, string>()
  for (const kind of [Deployment, ReplicaSet, StatefulSet, Job, Pod] as readonly Kind[])
    for (const object of await items(kind, namespace)) {
      const { metadata } = object
      const { name, labels: own } = metadata
      const ownerReferences = metadata.ownerReferences?.map((owner) => ({ ...owner, uid: uids.get(owner.uid)! }))
      const { status, ...rest } = object as o.OtherObject
      const draft = { ...rest, metadata: { name, namespace, labels: own, ownerReferences } }
      const made = store.create(kind, draft as never, 'test')
      uids.set(metadata.uid, made.metadata.uid)
      if (kind.id === Pod.id) store.updateStatus(Pod, { ...(made as o.Pod), status: status as o.PodStatus }, 'test')
    }
  for (const [name, fields] of Object.entries(budgets)) {
    const made = budget(name, fields)
    store.create(PodDisruptionBudget, { ...made, metadata: { name, namespace } } as never, 'test')
  }
  store.create(ResourceQuota, { metadata: { name: 'team', namespace }, spec: { hard } } as never, 'test')
  settle(cluster)
  return {
    budgets: store.list(PodDisruptionBudget),
    quota: store.get(ResourceQuota, `${namespace}/team`).status,
  }
}

const byName = (list: readonly o.PodDisruptionBudget[]) =>
  Object.fromEntries(list.map((item) => [item.metadata.name, shown(item)]))

test.skipIf(unavailable).each(owners.map((owner, i) => ({ owner, i, kind: owner[0].kind })))(
  '$kind',
  async ({ owner, i }) => {
    const namespace = `owner-${i}`
    await makeReal(owner, namespace)
    const real = await eventually(
      () => items(PodDisruptionBudget, namespace),
      (list) => list.every(({ status }) => status.conditions !== undefined),
    )
    const quota = (await eventually(
      () => send('GET', objectPath(ResourceQuota, `${namespace}/team`)) as Promise<o.ResourceQuota>,
      ({ status }) => Object.keys(status.used ?? {}).length === Object.keys(hard).length,
    )) as o.ResourceQuota
    const simulated = await simulate(namespace)
    expect(byName(simulated.budgets)).toEqual(byName(real))
    expect(simulated.quota).toEqual(quota.status)
  },
)
