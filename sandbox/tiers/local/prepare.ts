import { setTimeout as wait } from 'node:timers/promises'
import { isApiError } from '../../kube/errors.ts'
import { CustomResourceDefinition, type Kind, kindOf, knownKinds, Namespace, ServiceAccount } from '../../kube/kinds.ts'
import type { Draft, KubeObject } from '../../kube/objects.ts'
import { collectionPath, objectPath } from '../../kube/remote/paths.ts'
import type { Rest } from '../../kube/remote/rest.ts'
import { definitionsOf, groupOf } from './definitions.ts'
import { namespacesFor } from './preparations.ts'

const LOOK_EVERY_MS = 50
const WAIT_MS = 120_000

/**
 * Makes namespaces and definitions of custom resources in an empty cluster, and waits until pods can be made there and
 * every kind can be listed. Definitions among the objects are taken as they are. Returns the kinds that can be watched.
 */
export async function prepare(rest: Rest, objects: readonly Draft<KubeObject>[]): Promise<readonly Kind[]> {
  const namespaces = namespacesFor(objects)
  const served = await groupsOf(rest)
  const given = new Map(objects.filter(isDefinition).map((object) => [object.metadata.name, object]))
  const definitions = definitionsOf(knownKinds(), (group) => served.has(group))
  await Promise.all([
    ...definitions.map(async (made) => {
      const own = given.get(made.metadata.name)
      if (!own || !(await isMade(rest, CustomResourceDefinition, own))) await make(rest, CustomResourceDefinition, made)
    }),
    ...namespaces.map((name) => make(rest, Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
  ])
  const custom = new Set(definitions.map(({ metadata }) => metadata.name))
  await Promise.all([
    accountsOf(rest, ['default', ...namespaces]),
    ...knownKinds()
      .filter(({ id }) => custom.has(id))
      .map((kind) => until(kind.id, () => answers(rest, `${collectionPath(kind)}?limit=1`))),
  ])
  const kinds = [...new Map(knownKinds().map((kind) => [kind.id, kind])).values()]
  const listed = await Promise.all(
    kinds.map(async (kind) => {
      const isThere = served.has(groupOf(kind)) || custom.has(kind.id)
      return isThere && (await answers(rest, `${collectionPath(kind)}?limit=1`)) ? [kind] : []
    }),
  )
  return listed.flat()
}

/** Waits until pods can be made in these namespaces. */
export async function accountsOf(rest: Rest, namespaces: readonly string[]): Promise<void> {
  const isThere = (namespace: string) => answers(rest, objectPath(ServiceAccount, `${namespace}/default`))
  await Promise.all(namespaces.map((one) => until(`the service account of namespace ${one}`, () => isThere(one))))
}

const isDefinition = (object: Draft<KubeObject>): boolean => kindOf(object).id === CustomResourceDefinition.id

async function groupsOf(rest: Rest): Promise<Set<string>> {
  const { groups } = (await rest.send({ method: 'GET', path: '/apis', process: 'kubectl' })) as {
    groups: { name: string }[]
  }
  return new Set(['', ...groups.map(({ name }) => name)])
}

/** Makes an object unless it is there. */
async function make(rest: Rest, kind: Kind, body: unknown): Promise<void> {
  const { namespace } = (body as KubeObject).metadata
  try {
    await rest.send({ method: 'POST', path: collectionPath(kind, namespace), body, process: 'kubectl' })
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
  }
}

/** Whether the server takes it. */
async function isMade(rest: Rest, kind: Kind, body: unknown): Promise<boolean> {
  try {
    await make(rest, kind, body)
    return true
  } catch (error) {
    if (isApiError(error, 'Invalid') || isApiError(error, 'BadRequest')) return false
    throw error
  }
}

async function answers(rest: Rest, path: string): Promise<boolean> {
  try {
    await rest.send({ method: 'GET', path, process: 'kubectl' })
    return true
  } catch (error) {
    if (isApiError(error, 'NotFound')) return false
    throw error
  }
}

/** Fails with an Error that names it when it does not come. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = WAIT_MS): Promise<void> {
  for (let waitedMs = 0; !(await holds()); waitedMs += LOOK_EVERY_MS) {
    if (waitedMs >= withinMs) throw new Error(`${what} did not come within ${withinMs / 1000} s`)
    await wait(LOOK_EVERY_MS)
  }
}
