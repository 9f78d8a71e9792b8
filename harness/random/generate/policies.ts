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

/** A budget for some workloads, now and then one that allows nothing or two that overlap. */
export function randomBudgets(chance: Chance, workloads: readonly RandomWorkload[]): Manifest[] {
  return workloads
    .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
    .flatMap(({ name, namespace }) =>
      Array.from({ length: chance.yes(0.4) ? (chance.yes(0.1) ? 2 : 1) : 0 }, (_, i) => ({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: `${name}-budget${i}`, namespace },
        spec: {
          selector: { matchLabels: { app: name } },
          ...chance.oneOf([
            { minAvailable: chance.oneOf([0, 1, 2, '50%', '100%']) },
            { maxUnavailable: chance.oneOf([0, 1, '34%']) },
          ]),
          ...chance.fields(0.3, () => ({
            unhealthyPodEvictionPolicy: chance.oneOf(['AlwaysAllow', 'IfHealthyBudget']),
          })),
        },
      })),
    )
}

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
      ...chance.fields(0.6, () => ({ pods: String(chance.whole(1, 12)) })),
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
      },
    ],
  },
})
