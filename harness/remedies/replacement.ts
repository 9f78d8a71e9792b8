import type * as o from '../../sandbox/kube/objects.ts'
import { type ByHand, type Candidate, type Diagnosis, type RemedyContext, remedy } from './remedy.ts'
import { ONE_MORE_NODE } from './spread.ts'

const TOLERATIONS = 'spec.template.spec.tolerations'
const SECONDS = 60

/** A replica that was lost and not replaced. */
export const replacement = remedy({
  causes: ['node-never-given-up', 'stateful-pod-fenced', 'replacement-does-not-fit', 'replacement-unschedulable'],
  diagnose(context): Diagnosis | undefined {
    const { replicas } = context.deployment.spec
    switch (context.broken.cause) {
      case 'node-never-given-up':
        return tolerated(context)
      case 'stateful-pod-fenced':
        return {
          path: 'kind',
          says: 'a StatefulSet waits until the node, or a person who deletes it or taints it out-of-service, says that the pod has ended',
          candidates: [],
          byHand: OUT_OF_SERVICE,
        }
      default:
        return (
          constrained(context) ?? {
            path: 'spec.replicas',
            says: `${replicas} replicas have no room without one of the nodes, and the load needs them`,
            candidates: [ONE_MORE_NODE],
          }
        )
    }
  },
})

const SPREAD = 'spec.template.spec.topologySpreadConstraints'

/** There is room, but a spread that counts the lost node as an empty domain forbids to use it. Follows podtopologyspread/filtering.go. */
function constrained({ broken, deployment }: RemedyContext): Diagnosis | undefined {
  const said = broken.evidence.find(({ text }) => /topology spread constraints/.test(text))
  const constraints = deployment.spec.template.spec.topologySpreadConstraints ?? []
  const at = constraints.findIndex(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule')
  const found = constraints[at]
  if (!said || !found) return undefined
  const set = (field: string, value: string): Candidate => ({
    says: `topologySpreadConstraints[${at}].${field}: ${value}`,
    changes: [{ path: `${SPREAD}[${at}].${field}`, value }],
  })
  return {
    path: `${SPREAD}[${at}]`,
    says: `a domain of ${found.topologyKey} whose node is lost still counts as one with no pod, so that maxSkew: ${found.maxSkew} lets no other take the replica`,
    candidates: [
      ...(found.nodeTaintsPolicy === 'Honor' ? [] : [set('nodeTaintsPolicy', 'Honor')]),
      set('whenUnsatisfiable', 'ScheduleAnyway'),
      ONE_MORE_NODE,
    ],
  }
}

const TAINT = 'kubectl taint nodes NODE node.kubernetes.io/out-of-service'

/** Nobody but a person knows that a machine is off for certain. Follows the Kubernetes documentation on non-graceful node shutdown. */
const OUT_OF_SERVICE: ByHand = {
  says: 'once the machine is certainly off, taint its node: its pods are given up and their volumes detached; take the taint away when it is back',
  commands: [`${TAINT}=nodeshutdown:NoExecute`, `${TAINT}-`],
}

/** The toleration that binds the pod to a node that is gone. */
function tolerated({ deployment }: RemedyContext): Diagnosis {
  const { tolerations = [] } = deployment.spec.template.spec
  const index = tolerations.findIndex(isOfLostNodes)
  const found = tolerations[index]
  if (!found)
    return {
      path: TOLERATIONS,
      says: 'pods tolerate an unreachable node for 300 s where nothing else is said',
      candidates: [shortened(tolerations)],
    }
  const { key, tolerationSeconds } = found
  const says = `${key ?? 'every taint'} is tolerated ${tolerationSeconds === undefined ? 'for ever' : `for ${tolerationSeconds} s`}: the pod stays bound to the node that is gone`
  const without: Candidate = {
    says: `without the toleration of ${key ?? 'every taint'}`,
    changes: [{ path: TOLERATIONS, value: tolerations.filter((one) => one !== found) }],
  }
  return {
    path: `${TOLERATIONS}[${index}]${tolerationSeconds === undefined ? '' : '.tolerationSeconds'}`,
    says,
    candidates: key
      ? [
          {
            says: `tolerationSeconds: ${SECONDS}`,
            changes: [
              {
                path: TOLERATIONS,
                value: tolerations.map((one) =>
                  isOfLostNodes(one) ? { ...one, effect: 'NoExecute', tolerationSeconds: SECONDS } : one,
                ),
              },
            ],
          },
        ]
      : [without],
  }
}

/** It keeps a pod on a node that is not to be reached. */
const isOfLostNodes = ({ key, effect, operator }: o.Toleration): boolean =>
  (!effect || effect === 'NoExecute') &&
  (key ? /^node\.kubernetes\.io\/(unreachable|not-ready)$/.test(key) : operator === 'Exists')

const shortened = (tolerations: readonly o.Toleration[]): Candidate => ({
  says: `tolerationSeconds: ${SECONDS} for node.kubernetes.io/unreachable`,
  changes: [
    {
      path: TOLERATIONS,
      value: [
        ...tolerations,
        ...['node.kubernetes.io/unreachable', 'node.kubernetes.io/not-ready'].map((key) => ({
          key,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: SECONDS,
        })),
      ],
    },
  ],
})
