import type { Manifest } from '../../platform/platform.ts'
import type { Subject } from '../../subject.ts'
import type { AddedObjects } from '../remedy.ts'

/** A PodDisruptionBudget over a server's pods that lets one go at a time. */
export const budgetOf = ({ name, namespace, selector }: Subject, written: Manifest): AddedObjects => ({
  name: `${name}-budget`,
  objects: [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      // as the server's own manifest says it: a namespace that an overlay or kubectl gives is given to both
      metadata: { name, ...(written.metadata.namespace === undefined ? {} : { namespace }) },
      spec: { maxUnavailable: 1, selector },
    },
  ],
})
