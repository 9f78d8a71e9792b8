import type * as o from '../../kube/objects.ts'
import { parseQuantity, type Quantity } from '../../kube/quantity.ts'
import { ONE, ZERO } from './amounts.ts'
import type { Evaluator } from './evaluator.ts'

const SERVICES: ReadonlySet<string> = new Set([
  'count/services',
  'services',
  'services.nodeports',
  'services.loadbalancers',
])

/** Follows pkg/quota/v1/evaluator/core/services.go. */
export const serviceEvaluator: Evaluator<o.Service> = {
  matching: (names) => names.filter((name) => SERVICES.has(name)),
  usage({ spec }) {
    const { type, ports = [] } = spec
    const { allocateLoadBalancerNodePorts: allocates } = spec as { allocateLoadBalancerNodePorts?: boolean }
    const asked =
      type === 'LoadBalancer' && allocates === false ? ports.filter((port) => port.nodePort).length : ports.length
    const balances = type === 'LoadBalancer'
    return new Map([
      ['count/services', ONE],
      ['services', ONE],
      ['services.loadbalancers', balances ? ONE : ZERO],
      ['services.nodeports', balances || type === 'NodePort' ? parseQuantity(String(asked)) : ZERO],
    ])
  },
  matchesScope: () => false,
  checksUpdate: () => true,
  frees: (before, after) => quotaType(before) !== quotaType(after),
}

const quotaType = ({ spec: { type } }: o.Service): string =>
  type === 'NodePort' || type === 'LoadBalancer' ? type : ''

const CLASS = '.storageclass.storage.k8s.io/'
const CLAIM_NAMES = ['persistentvolumeclaims', 'requests.storage']

/** Volume attributes classes are not modelled: no claim is in their scope. Follows pkg/quota/v1/evaluator/core/persistent_volume_claims.go. */
export const claimEvaluator: Evaluator<o.PersistentVolumeClaim> = {
  matching: (names) =>
    names.filter(
      (name) =>
        name === 'count/persistentvolumeclaims' ||
        CLAIM_NAMES.some((own) => name === own || name.endsWith(`${CLASS}${own}`)),
    ),
  usage(claim) {
    const usage = new Map<string, Quantity>([
      ['count/persistentvolumeclaims', ONE],
      ['persistentvolumeclaims', ONE],
    ])
    const className =
      claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec.storageClassName
    if (className) usage.set(`${className}${CLASS}persistentvolumeclaims`, ONE)
    const asked = claim.spec.resources?.requests?.['storage']
    if (asked === undefined) return usage
    const storage = wholeBytes(parseQuantity(asked))
    usage.set('requests.storage', storage)
    if (className) usage.set(`${className}${CLASS}requests.storage`, storage)
    return usage
  },
  matchesScope: () => false,
  checksUpdate: () => true,
}

const NANO = 1_000_000_000n

const wholeBytes = ({ nanos, format }: Quantity): Quantity => ({
  nanos: nanos % NANO === 0n ? nanos : (nanos / NANO + 1n) * NANO,
  format,
})
