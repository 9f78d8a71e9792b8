import { afterAll, beforeAll, expect, test } from 'vitest'
import { withoutNulls } from '../journal/merge-patch.ts'
import { canonical } from '../journal/record.ts'
import { ApiError } from '../kube/errors.ts'
import { kindOf, ServiceAccount } from '../kube/kinds.ts'
import { collectionPath, objectPath } from '../kube/remote/paths.ts'
import { openRest, type Rest } from '../kube/remote/rest.ts'
import { whyUnavailable } from '../tiers/control-plane/binaries.ts'
import { type ControlPlane, startControlPlane } from '../tiers/control-plane/control-plane.ts'
import { type Case, cases } from './real.cases.ts'
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
  return `${error.code} ${error.reason} ${message.replace(/[[\]]/g, '').split(', ').sort().join(', ')}`
}

const compare = test.skipIf(unavailable)

compare.each(cases)('$name', async (item) => {
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
