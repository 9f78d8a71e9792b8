import { formatPath } from '../platform/path.ts'
import { type Diagnosis, missingResource, type RemedyContext } from './remedy.ts'

/** Karpenter could buy a node for the pod, and the limits of its NodePool forbid it; undefined: that is not why. */
export function poolLimit({ broken, related, subject }: RemedyContext): Diagnosis | undefined {
  const refused = broken.evidence.some(({ text }) => text.includes('exceed limits for nodepool'))
  const resource = missingResource(broken) ?? 'nvidia.com/gpu'
  const pool = related.nodePools.find(({ manifest }) => limitsOf(manifest)?.[resource] !== undefined)
  if (!refused || !pool) return undefined
  const limit = Number(limitsOf(pool.manifest)![resource])
  const path = formatPath(['spec', 'limits', resource])
  const raised = [limit + subject.gpus, 2 * limit].filter((value) => Number.isFinite(value) && value > limit)
  return {
    object: pool.id,
    path,
    says: `${path}: ${limit} leaves no room for one node more`,
    candidates: [...new Set(raised)].map((value) => ({
      says: `${resource}: ${value} in the limits of ${pool.id}`,
      changes: [{ object: pool.id, path, value }],
    })),
  }
}

const limitsOf = (manifest: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined =>
  (manifest['spec'] as { limits?: Record<string, unknown> } | undefined)?.limits
