import { isApiError } from '../kube/errors.ts'
import { Job, keyOf } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { fromRfc3339, seconds, type Us } from '../world/time.ts'
import { controller, watching } from './controller.ts'
import { isFinishedJob } from './job/pods.ts'

/** Deletes Jobs `ttlSecondsAfterFinished` after their end. Follows pkg/controller/ttlafterfinished/ttlafterfinished_controller.go. */
export const ttlAfterFinishedController = controller({
  name: 'ttl-after-finished-controller',
  workers: 5,
  watches: [
    watching(Job, ({ queue }) => {
      const add = (job: o.Job) => expiresAt(job) !== undefined && queue.add(keyOf(job))
      return { added: add, updated: (_, job) => add(job) }
    }),
  ],
  *reconcile(key, { kube, now, queue }) {
    const cached = kube.get(Job, key)
    if (!cached || (expiresAt(cached) ?? now) > now) {
      if (cached) queue.addAfter(key, expiresAt(cached)! - now)
      return
    }
    try {
      const fresh = yield* kube.read(Job, key)
      const due = expiresAt(fresh)
      if (due === undefined || due > now) return
      const { uid, resourceVersion } = fresh.metadata
      yield* kube.delete(Job, key, { uid, resourceVersion, propagationPolicy: 'Foreground' })
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  },
})

function expiresAt(job: o.Job): Us | undefined {
  const { ttlSecondsAfterFinished: ttl } = job.spec
  if (ttl === undefined || job.metadata.deletionTimestamp || !isFinishedJob(job)) return undefined
  const end = job.status.conditions!.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
  return fromRfc3339(end!.lastTransitionTime ?? '') + seconds(ttl)
}
