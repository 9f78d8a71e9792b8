import { controllerOf } from '../../sandbox/kube/indexes.ts'
import { Deployment, ReplicaSet } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { deploymentOf } from '../subject.ts'
import { fault } from './fault.ts'

/**
 * The subject's image is pushed anew under its tag and rolled out: the same server, to be pulled again. Seen when the Deployment has a
 * ReplicaSet more.
 */
export const newImage = fault<Record<string, never>>({
  name: 'newImage',
  sort: 'change',
  describe: () => 'a new image of the server is rolled out',
  *inject(_, { sandbox, subject }) {
    const deployment = yield* sandbox.kube.read(Deployment, subject.key)
    const containers = deployment.spec.template.spec.containers.map((container) =>
      container.name === subject.container ? { ...container, image: withNewDigest(container.image) } : container,
    )
    yield* sandbox.kube.patch(Deployment, subject.key, { spec: { template: { spec: { containers } } } })
    return () => undefined
  },
  visible(_, { subject, view }) {
    const sets = new Set<string>()
    return {
      record(_record, change) {
        if (change?.kind !== ReplicaSet.id || !change.after) return
        const owner = controllerOf(change.after as o.ReplicaSet)
        const deployment = deploymentOf(subject, view)
        if (owner && deployment && owner.uid === deployment.metadata.uid) sets.add(change.key)
      },
      result: () => ({ samples: Math.max(0, sets.size - 1) }),
    }
  },
})

/** The tag stays, so that the server's version does; the digest is one no node has. */
const withNewDigest = (image: string): string => `${image.replace(/@sha256:.*$/, '')}@sha256:${'5ea7'.repeat(16)}`
