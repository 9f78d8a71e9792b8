import type { Chance } from '../chance.ts'
import type { Manifest, RandomWorkload } from '../platform.ts'

/** Priority classes, quotas and limit ranges: what must be there before the workloads. */
export function randomPolicies(chance: Chance, namespaces: readonly string[]): Manifest[] {
  return [
    ...(chance.yes(0.35) ? priorityClasses(chance) : []),
    ...namespaces.flatMap((namespace) => [
      ...(chance.yes(0.2) ? [quota(chance, namespace)] : []),
      ...(chance.yes(0.2) ? [limitRange(chance, namespace)] : []),
    ]),
  ]
}

/** Budgets for most workloads: some allow nothing, some mean pods of several workloads, some overlap. */
export function randomBudgets(chance: Chance, workloads: readonly RandomWorkload[], roomy: boolean): Manifest[] {
  const own = workloads.flatMap(({ kind, name, namespace }) => {
    const scaled = kind === 'Deployment' || kind === 'StatefulSet'
    if (!chance.yes(scaled ? (roomy ? 0.85 : 0.5) : 0.1)) return []
    return Array.from({ length: chance.yes(0.15) ? 2 : 1 }, (_, i) =>
      budget(chance, { name: `${name}-budget${i}`, namespace, selector: { matchLabels: { app: name } } }),
    )
  })
  const [first] = workloads
  const broad = {
    name: 'broad',
    namespace: first!.namespace,
    selector: chance.oneOf([{ matchLabels: { tier: 'a' } }, {}]),
  }
  return chance.yes(0.15) ? [...own, budget(chance, broad)] : own
}

function budget(
  chance: Chance,
  { name, namespace, selector }: { name: string; namespace: string; selector: object },
): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace },
    spec: {
      selector,
      ...randomAllowance(chance),
      ...chance.fields(0.4, () => ({
        unhealthyPodEvictionPolicy: chance.oneOf(['AlwaysAllow', 'IfHealthyBudget']),
      })),
    },
  }
}

/** How much a budget lets go; neither field now and then, which lets nothing go. */
export const randomAllowance = (chance: Chance): object =>
  chance.oneOf([
    { minAvailable: chance.oneOf([0, 1, 2, 3, 5, '1%', '50%', '66%', '100%']) },
    { minAvailable: chance.oneOf([1, 2, '50%']) },
    { maxUnavailable: chance.oneOf([0, 1, 2, 3, '10%', '34%', '100%']) },
    { maxUnavailable: chance.oneOf([1, 1, '25%']) },
    ...(chance.yes(0.12) ? [{}, {}] : []),
  ])

function priorityClasses(chance: Chance): Manifest[] {
  return [
    ['low', -10],
    ['high', 1000],
  ].map(([name, value]) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: String(name) },
    value,
    ...(name === 'high' && chance.yes(0.3) ? { preemptionPolicy: 'Never' } : {}),
  }))
}

const quota = (chance: Chance, namespace: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'quota', namespace },
  spec: {
    hard: {
      ...chance.fields(0.6, () => ({ pods: String(chance.whole(1, 20)) })),
      ...chance.fields(0.4, () => ({ 'requests.nvidia.com/gpu': String(chance.whole(1, 8)) })),
      ...chance.fields(0.3, () => ({ 'requests.cpu': String(chance.whole(2, 10)) })),
      ...chance.fields(0.2, () => ({ 'count/deployments.apps': '2' })),
    },
  },
})

const limitRange = (chance: Chance, namespace: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'limits', namespace },
  spec: {
    limits: [
      {
        type: 'Container',
        defaultRequest: { cpu: '100m', memory: '128Mi' },
        ...chance.fields(0.5, () => ({ default: { cpu: '2', memory: '4Gi' } })),
        ...chance.fields(0.1, () => ({ max: { cpu: '2', memory: '4Gi' } })),
        ...chance.fields(0.1, () => ({ min: { cpu: '100m' } })),
      },
    ],
  },
})
