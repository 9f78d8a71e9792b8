import type { Diagnosis } from './remedy.ts'
import { remedy } from './remedy.ts'

/** A KEDA fallback with fewer replicas than run. */
export const fallbackReplicas = remedy({
  causes: ['fallback-undercuts'],
  diagnose({ related, broken }): Diagnosis | undefined {
    const scaler = related.scalers.find(({ manifest }) => manifest.kind === 'ScaledObject')
    const spec = scaler?.manifest['spec'] as
      | { fallback?: { replicas?: number; behavior?: string }; maxReplicaCount?: number }
      | undefined
    if (!scaler || !spec?.fallback) return undefined
    const most = spec.maxReplicaCount ?? broken.wanted
    return {
      object: scaler.id,
      path: 'spec.fallback.replicas',
      says: `fallback to ${spec.fallback.replicas} replicas is fewer than ran when the metrics went away`,
      candidates: [
        {
          says: 'behavior: currentReplicasIfHigher',
          changes: [{ object: scaler.id, path: 'spec.fallback.behavior', value: 'currentReplicasIfHigher' }],
        },
        ...(most === undefined
          ? []
          : [
              {
                says: `replicas: ${most}`,
                changes: [{ object: scaler.id, path: 'spec.fallback.replicas', value: most }],
              },
            ]),
      ],
    }
  },
})
