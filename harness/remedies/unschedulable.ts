import { type Candidate, type Diagnosis, type RemedyContext, remedy, rollingUpdate } from './remedy.ts'

const POD = 'spec.template.spec'

/** What the scheduler says, where that is in the pod, and in words. The first that is said counts. */
const REASONS: readonly (readonly [said: RegExp, path: (context: RemedyContext) => string, says: string])[] = [
  [/untolerated taint/, () => `${POD}.tolerations`, 'no toleration for the taints of the nodes'],
  [
    /anti-affinity rules/,
    () => `${POD}.affinity.podAntiAffinity`,
    'its pod anti-affinity leaves no node for one more pod',
  ],
  [
    /ReadWriteOncePod/,
    ({ deployment }) =>
      `${POD}.volumes[${(deployment.spec.template.spec.volumes ?? []).findIndex((one) => 'persistentVolumeClaim' in one)}].persistentVolumeClaim`,
    'its claim is ReadWriteOncePod: no second pod may use it while the first one runs, as a rolling update would have it',
  ],
  [/pod affinity rules/, () => `${POD}.affinity.podAffinity`, 'no node meets its pod affinity'],
  [/topology spread constraints/, () => `${POD}.topologySpreadConstraints`, 'no node keeps its pods spread as asked'],
  [
    /free ports for the requested pod ports/,
    ({ deployment }) => (deployment.spec.template.spec.hostNetwork ? `${POD}.hostNetwork` : `${POD}.containers`),
    'every node has such a pod, and its host port is taken',
  ],
  [
    /node affinity\/selector/,
    ({ deployment }) =>
      deployment.spec.template.spec.nodeSelector ? `${POD}.nodeSelector` : `${POD}.affinity.nodeAffinity`,
    'no node has the labels it asks for',
  ],
]

/** Pods that no node takes for another reason than room. */
export const unschedulable = remedy({
  causes: ['pod-unschedulable', 'rollout-pod-unschedulable', 'pods-rejected'],
  diagnose(context): Diagnosis | undefined {
    if (context.broken.cause === 'pods-rejected')
      return {
        path: `${POD}.nodeName`,
        says: 'nodeName goes past the scheduler, to a node that has no room',
        candidates: withoutNodeName,
      }
    const text = context.broken.evidence[0]?.text ?? ''
    const reason = REASONS.find(([said]) => said.test(text))
    if (!reason) return undefined
    const [, path, says] = reason
    return {
      path: path(context),
      says,
      candidates: context.broken.cause.startsWith('rollout') ? takingTurns(context) : [],
    }
  },
})

const withoutNodeName: readonly Candidate[] = [
  { says: 'without nodeName', changes: [{ path: `${POD}.nodeName`, value: undefined }] },
]

/** One pod goes before the next one comes. */
const takingTurns = ({ deployment }: RemedyContext): Candidate[] =>
  deployment.spec.replicas < 2 ? [] : [{ says: 'maxSurge: 0, maxUnavailable: 1', changes: [rollingUpdate(0, 1)] }]
