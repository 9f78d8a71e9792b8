import { hasImage } from '../platform/roles/remediation.ts'
import { noticesOf } from '../platform/roles/spot.ts'
import { awsTerminationHandler } from './objects/termination-handler.ts'
import { type ByHand, type Candidate, type Diagnosis, type RemedyContext, remedy } from './remedy.ts'

/** Machines that may be taken back, and nobody who acts on the notice. Managed nodes of GKE and AKS act by themselves. */
export const notice = remedy({
  causes: ['notice-unused'],
  diagnose(context): Diagnosis {
    const setup = context.setup()
    const diagnosis = {
      path: 'spec.template.spec',
      says: 'its nodes may be taken back, and no termination handler drains them on the notice: bring one',
    }
    if (JSON.stringify([setup.nodes, setup.objects]).includes('karpenter.sh/'))
      return { ...diagnosis, candidates: [], byHand: INTERRUPTION_QUEUE }
    if (hasImage(setup.objects, /aws-node-termination-handler|karpenter.*\/controller/))
      return {
        ...diagnosis,
        says: 'its nodes may be taken back, and the termination handler is told not to drain them',
        candidates: [],
      }
    return { ...diagnosis, candidates: handlers(context, noticesOf(setup).provider === 'AWS') }
  },
})

const INTERRUPTION_QUEUE: ByHand = {
  says: 'Karpenter drains nodes on the notice when it knows the SQS queue that EventBridge sends notices to',
  commands: [
    'helm upgrade karpenter oci://public.ecr.aws/karpenter/karpenter --reuse-values --set settings.interruptionQueue=QUEUE',
  ],
}

function handlers({ deployment, scaling }: RemedyContext, onAws: boolean): Candidate[] {
  const handler: Candidate = {
    says: `a DaemonSet of aws-node-termination-handler${onAws ? '' : ', where the machines are of EC2'}`,
    adds: { name: 'aws-node-termination-handler', objects: awsTerminationHandler() },
  }
  if (deployment.spec.replicas > 1 || scaling) return [handler]
  const two = { path: 'spec.replicas', value: 2 }
  return [handler, { ...handler, says: `${handler.says}, and replicas: 2`, changes: [two] }]
}
