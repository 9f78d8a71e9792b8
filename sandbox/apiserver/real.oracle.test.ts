import { afterAll, beforeAll, expect, test } from 'vitest'
import { withoutNulls } from '../journal/merge-patch.ts'
import { canonical } from '../journal/record.ts'
import { ApiError } from '../kube/errors.ts'
import { type Kind, kindOf, LimitRange, Namespace, Pod, ResourceQuota, ServiceAccount } from '../kube/kinds.ts'
import { collectionPath, objectPath } from '../kube/remote/paths.ts'
import { openRest, type Rest } from '../kube/remote/rest.ts'
import { whyUnavailable } from '../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../tiers/control-plane/control-plane.ts'
import { type Case, cases } from './real.cases.ts'
import { policyCases, type Setting, settings } from './real.policy.ts'
import { type UpdateCase, updateCases } from './real.updates.ts'
import { testStore } from './testkit.ts'

let controlPlane: ControlPlane
let rest: Rest

const unavailable = await whyUnavailable()
if (unavailable) console.log(`skipped: ${unavailable}`)

beforeAll(async () => {
  if (unavailable) return
  controlPlane = await startControlPlane()
  rest = await openRest({ kubeconfig: controlPlane.kubeconfig })
  // nobody runs who would make it; without the token's volume, which the simulated server does not add
  const account = { metadata: { name: 'default' }, automountServiceAccountToken: false }
  await rest.send({ method: 'POST', path: collectionPath(ServiceAccount, 'default'), body: account, process: 'oracle' })
}, 30 * 60_000)
afterAll(() => controlPlane?.stop())

const objectOf = ({ apiVersion, kind, body }: Case) => ({
  apiVersion,
  kind,
  ...body,
  metadata: { name: 'web', ...body.metadata },
})

async function real(item: Case): Promise<string> {
  const path = `${collectionPath(kindOf(item), 'default')}?dryRun=All`
  try {
    return stored(await rest.send({ method: 'POST', path, body: objectOf(item), process: 'oracle' }))
  } catch (error) {
    return refused(error)
  }
}

function simulated(item: Case): string {
  try {
    return stored(testStore().store.create(kindOf(item), objectOf(item) as never, 'oracle'))
  } catch (error) {
    return refused(error)
  }
}

/** What is stored, without what differs from one creation to the next. */
function stored(object: unknown): string {
  const copy = JSON.parse(JSON.stringify(withoutNulls(object)))
  for (const field of ['uid', 'resourceVersion', 'creationTimestamp', 'managedFields']) delete copy.metadata[field]
  for (const condition of copy.status?.conditions ?? []) delete condition.lastTransitionTime
  if (copy.kind !== 'Service') return canonical(copy)
  if (copy.spec.clusterIP && copy.spec.clusterIP !== 'None') {
    copy.spec.clusterIP = 'some'
    copy.spec.clusterIPs = ['some']
  }
  for (const port of copy.spec.ports ?? []) if (port.nodePort) port.nodePort = 'some'
  return canonical(copy)
}

/** The causes of one answer have no order where they come from a map. */
function refused(error: unknown): string {
  if (!(error instanceof ApiError)) throw error
  // the difference upstream appends to a refused pod update is not made here
  const message = error.message.replace(/\n[\s\S]*/, '')
  return `${error.code} ${error.reason} ${message.replace(/[[\]]/g, '').replace(' is invalid: ', ' is invalid:, ').split(', ').sort().join(', ')}`
}

const compare = test.skipIf(unavailable)

compare.each([...cases, ...policyCases])('$name', async (item) => {
  expect(simulated(item)).toBe(await real(item))
})

async function realUpdate(item: UpdateCase, name: string): Promise<string> {
  const kind = kindOf(item)
  const process = 'oracle'
  const object = { ...objectOf(item), metadata: { name } }
  await rest.send({ method: 'POST', path: collectionPath(kind, 'default'), body: object, process })
  try {
    const path = objectPath(kind, `default/${name}`, item.subresource)
    return stored(await rest.send({ method: 'PATCH', path, body: item.patch, process }))
  } catch (error) {
    return refused(error)
  }
}

function simulatedUpdate(item: UpdateCase, name: string): string {
  const { store } = testStore()
  const kind = kindOf(item)
  store.create(kind, { ...objectOf(item), metadata: { name } } as never, 'oracle')
  const { subresource } = item
  try {
    return stored(store.patch(kind, `default/${name}`, item.patch, 'oracle', { subresource }))
  } catch (error) {
    return refused(error)
  }
}

compare.each(updateCases.map((item, i) => ({ ...item, i })))('$name ($i)', async ({ i, ...item }) => {
  expect(simulatedUpdate(item, `web-${i}`)).toBe(await realUpdate(item, `web-${i}`))
})

/** Answers of the real server to pods created one after the other where quotas and limit ranges stand. */
async function realSetting({ quota, limits = [], pods }: Setting, namespace: string): Promise<string[]> {
  const process = 'oracle'
  const post = (kind: Kind, body: object) =>
    rest.send({ method: 'POST', path: collectionPath(kind, namespace), body: { ...body, ...typeOf(kind) }, process })
  await post(Namespace, { metadata: { name: namespace } })
  await post(ServiceAccount, { metadata: { name: 'default' }, automountServiceAccountToken: false })
  for (const [i, spec] of limits.entries()) await post(LimitRange, { metadata: { name: `l${i}` }, spec })
  if (quota) {
    await post(ResourceQuota, { metadata: { name: 'q' }, spec: quota.spec })
    const path = objectPath(ResourceQuota, `${namespace}/q`, 'status')
    await rest.send({ method: 'PATCH', path, body: { status: { hard: quota.spec.hard, used: quota.used } }, process })
  }
  // admission reads quotas and ranges from a cache
  await new Promise((resolve) => setTimeout(resolve, 500))
  const answers: string[] = []
  for (const [i, spec] of pods.entries())
    try {
      answers.push(stored(await post(Pod, { metadata: { name: `p${i}` }, spec })))
    } catch (error) {
      answers.push(refused(error))
    }
  if (quota) {
    const path = objectPath(ResourceQuota, `${namespace}/q`)
    const left = (await rest.send({ method: 'GET', path, process })) as { status: object }
    answers.push(canonical(left.status))
  }
  return answers
}

function simulatedSetting({ quota, limits = [], pods }: Setting, namespace: string): string[] {
  const { store } = testStore()
  const metadata = (name: string) => ({ name, namespace })
  store.create(Namespace, { ...typeOf(Namespace), metadata: { name: namespace } }, 'oracle')
  for (const [i, spec] of limits.entries())
    store.create(LimitRange, { metadata: metadata(`l${i}`), spec } as never, 'oracle')
  if (quota) {
    store.create(ResourceQuota, { metadata: metadata('q'), spec: quota.spec } as never, 'oracle')
    const status = { hard: quota.spec.hard, used: quota.used }
    store.patch(ResourceQuota, `${namespace}/q`, { status }, 'oracle', { subresource: 'status' })
  }
  const answers = pods.map((spec, i) => {
    try {
      return stored(store.create(Pod, { metadata: metadata(`p${i}`), spec } as never, 'oracle'))
    } catch (error) {
      return refused(error)
    }
  })
  return quota ? [...answers, canonical(store.get(ResourceQuota, `${namespace}/q`).status)] : answers
}

const typeOf = ({ apiVersion, kind }: Kind) => ({ apiVersion, kind })

compare.each(settings.map((item, i) => ({ ...item, i })))('$name', async ({ i, ...item }) => {
  expect(simulatedSetting(item, `setting-${i}`)).toEqual(await realSetting(item, `setting-${i}`))
})
