import { controllerOf } from '../../sandbox/kube/indexes.ts'
import { ControllerRevision, ReplicaSet } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { kindOfSubject, workloadOf } from '../workload-object.ts'
import { fault } from './fault.ts'

/**
 * The subject's image is pushed anew under its tag and rolled out: the same server, to be pulled again. Seen when the workload has a
 * revision more.
 */
export const newImage = fault<Record<string, never>>({
  name: 'newImage',
  sort: 'change',
  describe: () => 'a new image of the server is rolled out',
  *inject(_, { sandbox, subject }) {
    const kind = kindOfSubject(subject)
    const workload = yield* sandbox.kube.read(kind, subject.key)
    const containers = workload.spec.template.spec.containers.map((container) =>
      container.name === subject.container ? { ...container, image: withNewDigest(container.image) } : container,
    )
    yield* sandbox.kube.patch(kind, subject.key, { spec: { template: { spec: { containers } } } })
    return () => undefined
  },
  visible(_, { subject, view }) {
    const revisions = new Set<string>()
    return {
      record(_record, change) {
        if (!change?.after || (change.kind !== ReplicaSet.id && change.kind !== ControllerRevision.id)) return
        const owner = controllerOf(change.after as o.ReplicaSet)
        const workload = workloadOf(subject, view)
        if (owner && workload && owner.uid === workload.metadata.uid) revisions.add(change.key)
      },
      result: () => ({ samples: Math.max(0, revisions.size - 1) }),
    }
  },
})

/** The tag stays, so that the server's version does; the digest is one no node has. */
const withNewDigest = (image: string): string => `${image.replace(/@sha256:.*$/, '')}@sha256:${'5ea7'.repeat(16)}`
