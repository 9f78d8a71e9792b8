import { remedy } from './remedy.ts'

/** A volume that only one node may have at a time, under replicas on several. */
export const volume = remedy({
  causes: ['volume-not-attached'],
  diagnose({ deployment }) {
    const { volumes = [] } = deployment.spec.template.spec
    const i = volumes.findIndex((one) => 'persistentVolumeClaim' in one)
    if (i === -1) return undefined
    return {
      path: `spec.template.spec.volumes[${i}].persistentVolumeClaim`,
      says: 'the claim is for one node at a time, and the replicas are on several; ReadWriteMany or ReadOnlyMany, or a claim for each replica, would do',
      candidates: [],
    }
  },
})
