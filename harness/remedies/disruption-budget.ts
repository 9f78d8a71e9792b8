import type { Candidate, Diagnosis, RelatedObject, RemedyContext } from './remedy.ts'
import { remedy } from './remedy.ts'
import { ONE_MORE_NODE, spread, withReplicas } from './spread.ts'

/** A PodDisruptionBudget that lets no replica go, or a drain that takes longer than people wait. */
export const disruptionBudget = remedy({
  causes: ['drain-blocked', 'drain-slow', 'drain-refused', 'slo-availability'],
  diagnose(context): Diagnosis | undefined {
    const { broken, deployment, related } = context
    if (broken.cause === 'drain-slow')
      return {
        path: 'spec.template.spec.terminationGracePeriodSeconds',
        says: `terminationGracePeriodSeconds: ${deployment.spec.template.spec.terminationGracePeriodSeconds} is longer than a drain may take`,
        candidates: [],
      }
    const [budget, second] = related.disruptionBudgets
    if (broken.cause === 'drain-refused') return second && severalBudgets(budget!, second)
    if (!budget) return undefined
    const { minAvailable, maxUnavailable } = specOf(budget)
    const field = minAvailable === undefined ? 'maxUnavailable' : 'minAvailable'
    const { replicas } = deployment.spec
    const lets = allowed(replicas, { minAvailable, maxUnavailable }) > 0
    const reclaimed = broken.cause === 'slo-availability'
    if (reclaimed && (lets || !context.faults.includes('reclaimNode'))) return undefined
    return {
      object: budget.id,
      path: `spec.${field}`,
      says: `${field}: ${minAvailable ?? maxUnavailable} of ${replicas} replica${replicas === 1 ? '' : 's'}: ${
        lets
          ? 'a replica may go only once another is Ready elsewhere, and none came to be'
          : reclaimed
            ? 'whoever acts on the notice may not evict the pod, which serves until its machine is gone'
            : 'no eviction is ever allowed, and an eviction never makes a new pod first'
      }`,
      candidates: candidates(context, budget),
    }
  },
})

/** Follows pkg/registry/core/pod/storage/eviction.go. */
function severalBudgets(first: RelatedObject, second: RelatedObject): Diagnosis {
  const { namespace, name } = second.manifest.metadata
  return {
    object: second.id,
    path: 'spec.selector',
    says: `${first.id} and ${second.id} both select its pods, and the API server evicts no pod that has more than one budget`,
    candidates: [],
    byHand: {
      says: 'Keep one budget for each pod: take the other out of the manifests too',
      commands: [`kubectl delete poddisruptionbudget ${name}${namespace ? ` --namespace ${namespace}` : ''}`],
    },
  }
}

type Amount = number | string | undefined

const specOf = ({ manifest }: RelatedObject) =>
  (manifest['spec'] ?? {}) as { minAvailable?: number | string; maxUnavailable?: number | string }

/** Replicas that may be missing where all are healthy. */
function allowed(replicas: number, { minAvailable, maxUnavailable }: { minAvailable: Amount; maxUnavailable: Amount }) {
  const of = (amount: number | string) =>
    typeof amount === 'number' ? amount : Math.ceil((Number.parseInt(amount, 10) / 100) * replicas)
  return minAvailable === undefined ? of(maxUnavailable ?? 0) : replicas - of(minAvailable)
}

function candidates(context: RemedyContext, budget: RelatedObject): Candidate[] {
  const { deployment } = context
  const { replicas } = deployment.spec
  const { minAvailable, maxUnavailable } = specOf(budget)
  const object = budget.id
  if (allowed(replicas, { minAvailable, maxUnavailable }) > 0) return [ONE_MORE_NODE, ...spread(context)]
  if (replicas > 1)
    return [
      minAvailable === undefined
        ? { says: 'maxUnavailable: 1', changes: [{ object, path: 'spec.maxUnavailable', value: 1 }] }
        : {
            says: `maxUnavailable: 1 in place of minAvailable: ${minAvailable}`,
            changes: [
              { object, path: 'spec.minAvailable', value: undefined },
              { object, path: 'spec.maxUnavailable', value: 1 },
            ],
          },
    ]
  const more = withReplicas(2)
  // a share or all of them would keep the second replica too
  if (allowed(2, { minAvailable, maxUnavailable }) > 0)
    return [more, { ...more, says: `${more.says}, and ${ONE_MORE_NODE.says}`, moreNodes: 1 }]
  const loosened: Candidate = {
    says: 'replicas: 2, maxUnavailable: 1',
    changes: [
      ...more.changes!,
      ...(minAvailable === undefined ? [] : [{ object, path: 'spec.minAvailable', value: undefined }]),
      { object, path: 'spec.maxUnavailable', value: 1 },
    ],
  }
  return [loosened, { ...loosened, says: `${loosened.says}, and ${ONE_MORE_NODE.says}`, moreNodes: 1 }]
}
