import { oneAtATime } from './one-at-a-time.ts'
import { type Candidate, type Diagnosis, type RemedyContext, remedy } from './remedy.ts'
import { ONE_MORE_NODE, spread, withReplicas } from './spread.ts'

/** Nobody serves while a node is away: there is one replica, or all are on that node. */
export const replicasDisrupted = remedy({
  causes: ['only-replica-disrupted', 'replicas-on-one-node', 'all-replicas-disrupted'],
  diagnose(context): Diagnosis {
    const { broken, deployment } = context
    const { replicas, template } = deployment.spec
    if (broken.cause === 'only-replica-disrupted') return onlyOne(context)
    const { affinity } = template.spec
    const together = affinity?.podAffinity !== undefined
    return {
      path: together ? 'spec.template.spec.affinity.podAffinity' : 'spec.template.spec.topologySpreadConstraints',
      says: together
        ? `podAffinity puts all ${replicas} replicas on one node`
        : `nothing keeps the ${replicas} replicas on nodes of their own`,
      candidates: [
        ...spread(context),
        ONE_MORE_NODE,
        ...spread(context).map((one) => ({ ...one, says: `${one.says}, and ${ONE_MORE_NODE.says}`, moreNodes: 1 })),
        ...oneAtATime(context),
      ],
    }
  },
})

/** An autoscaler takes the second replica away again unless its minimum says two. */
function onlyOne({ scaling }: RemedyContext): Diagnosis {
  const field = scaling && `spec.${scaling.kind === 'hpa' ? 'minReplicas' : 'minReplicaCount'}`
  const two: Candidate = field
    ? { says: `${field.slice('spec.'.length)}: 2`, changes: [{ object: scaling.object.id, path: field, value: 2 }] }
    : withReplicas(2)
  return {
    ...(field ? { object: scaling.object.id } : {}),
    path: field ?? 'spec.replicas',
    says: `${field ? `${field}: ${scaling!.minReplicas}` : 'spec.replicas: 1'}: nobody serves from the time its node goes until another has loaded`,
    candidates: [two, { ...two, says: `${two.says}, and ${ONE_MORE_NODE.says}`, moreNodes: 1 }],
  }
}
