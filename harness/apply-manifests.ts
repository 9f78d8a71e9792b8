import { ApiError } from '../sandbox/kube/errors.ts'
import { kindOf, LimitRange, Namespace, PriorityClass, ResourceQuota } from '../sandbox/kube/kinds.ts'
import type { Sandbox } from '../sandbox/tiers/tier.ts'
import { ms, seconds, type Us } from '../sandbox/world/time.ts'
import type { ObjectsView } from './objects-view.ts'
import type { Setup } from './setup.ts'

/** What admission goes by: in a cluster it has been there for long when a workload is changed. */
const FIRST = new Set([Namespace.id, PriorityClass.id, ResourceQuota.id, LimitRange.id])
/** How long the quota controller may take to count. */
const COUNTED_WITHIN: Us = seconds(10)

/**
 * Creates every object in the order given, but first what admission goes by, until quotas limit: one that is counted while pods are being made
 * counts too few of them for up to five minutes. Returns what the API server said against an object.
 */
export async function applyManifests(
  objects: Setup['objects'],
  sandbox: Sandbox,
  view: ObjectsView,
): Promise<{ object: string; error: ApiError } | undefined> {
  const isFirst = (object: Setup['objects'][number]) => FIRST.has(kindOf(object).id)
  const rejected = await create(objects.filter(isFirst), sandbox)
  if (rejected) return rejected
  const { clock } = sandbox.world
  const deadline = clock.now + COUNTED_WITHIN
  while (view.list(ResourceQuota).some(({ status }) => !status?.hard) && clock.now < deadline)
    await sandbox.runUntil(clock.now + ms(100))
  return create(
    objects.filter((object) => !isFirst(object)),
    sandbox,
  )
}

async function create(objects: Setup['objects'], sandbox: Sandbox) {
  for (const object of objects) {
    try {
      await sandbox.run('kubectl', sandbox.kube.create(kindOf(object), object))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return { object: `${object.kind}/${object.metadata.name}`, error }
    }
  }
  return undefined
}
