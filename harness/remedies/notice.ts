import type { PodSpec } from '../../sandbox/kube/objects.ts'
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
    const { handler } = noticesOf(setup)
    const absent = handler?.runs?.onEachNode ? setup.objects.find((one) => runs(one, handler.runs!.image)) : undefined
    if (absent) return notThere(absent)
    if (hasImage(setup.objects, /aws-node-termination-handler|karpenter.*\/controller/))
      return {
        ...diagnosis,
        says: 'its nodes may be taken back, and the termination handler is told not to drain them',
        candidates: [],
      }
    return { ...diagnosis, candidates: handlers(context, noticesOf(setup).provider === 'AWS') }
  },
})

type Written = ReturnType<RemedyContext['setup']>['objects'][number]

const podSpecOf = (object: Written) =>
  (object as unknown as { spec?: { template?: { spec?: PodSpec } } }).spec?.template?.spec

const runs = (object: Written, image: string): boolean =>
  podSpecOf(object)?.containers?.some((container) => container.image === image) ?? false

/** A handler that would act, and has no pod on the server's nodes. */
function notThere(daemonSet: Written): Diagnosis {
  const { name, namespace } = daemonSet.metadata
  const object = [daemonSet.kind, ...(namespace ? [namespace] : []), name].join('/')
  const at = 'spec.template.spec'
  const selector = podSpecOf(daemonSet)?.nodeSelector
  const tolerates = { object, path: `${at}.tolerations`, value: [{ operator: 'Exists' }] }
  const everywhere = { object, path: `${at}.nodeSelector`, value: undefined }
  return {
    object,
    path: selector ? `${at}.nodeSelector` : `${at}.tolerations`,
    says: `${daemonSet.kind} ${name} has no pod on the nodes of the server: ${selector ? 'its nodeSelector leaves them out' : 'it does not tolerate their taints'}`,
    candidates: [
      { says: 'tolerations: [{ operator: Exists }]', changes: [tolerates] },
      ...(selector
        ? [
            {
              says: `${name} without nodeSelector, tolerations: [{ operator: Exists }]`,
              changes: [everywhere, tolerates],
            },
          ]
        : []),
    ],
  }
}

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
