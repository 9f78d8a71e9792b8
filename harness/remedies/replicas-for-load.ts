import { type Diagnosis, remedy } from './remedy.ts'

/** A load that needs more replicas than there are. */
export const replicasForLoad = remedy({
  causes: ['too-few-replicas-for-load'],
  diagnose({ broken, deployment }): Diagnosis {
    const { replicas } = deployment.spec
    const wanted = (broken.wanted ?? replicas) + 1
    const change = { path: 'spec.replicas', value: wanted }
    return {
      path: 'spec.replicas',
      says: `spec.replicas: ${replicas}, and the load given needs ${broken.wanted} at all times`,
      candidates: [
        { says: `replicas: ${wanted}`, changes: [change] },
        {
          says: `replicas: ${wanted}, and ${wanted - replicas} more nodes`,
          changes: [change],
          moreNodes: wanted - replicas,
        },
      ],
    }
  },
})
