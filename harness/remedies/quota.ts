import { addQuantities, formatQuantity, parseQuantity } from '../../sandbox/kube/quantity.ts'
import { type Candidate, type Diagnosis, type RemedyContext, remedy, rollingUpdate } from './remedy.ts'

const EXCEEDED =
  /exceeded quota: ([^,]+), requested: ([^=,]+)=([^,]+).*, used: [^=,]+=([^,]+).*, limited: [^=,]+=([^,]+)/

/** A ResourceQuota that refuses the pod a rollout needs. */
export const quota = remedy({
  causes: ['quota-exceeded'],
  diagnose(context): Diagnosis | undefined {
    const said = EXCEEDED.exec(context.broken.evidence[0]?.text ?? '')
    const object = context.related.quotas.find(({ manifest }) => manifest.metadata.name === said?.[1])
    if (!said || !object) return undefined
    const [, , resource, asked, used, limit] = said as unknown as readonly string[]
    const path = `spec.hard[${resource}]`
    const more = formatQuantity(addQuantities(parseQuantity(used!), parseQuantity(asked!)))
    return {
      object: object.id,
      path,
      says: `${resource}: ${limit}, of which ${used} are taken, is not enough for ${asked} more${context.faults.length > 0 ? ': a rollout that surges needs room in the quota too' : ''}`,
      candidates: [
        ...takingTurns(context),
        { says: `${resource}: "${more}"`, changes: [{ object: object.id, path, value: more }] },
      ],
    }
  },
})

/** One pod goes before the next one comes; only a rollout can do so. */
const takingTurns = ({ deployment, faults }: RemedyContext): Candidate[] =>
  deployment.spec.replicas < 2 || faults.length === 0
    ? []
    : [{ says: 'maxSurge: 0, maxUnavailable: 1', changes: [rollingUpdate(0, 1)] }]
