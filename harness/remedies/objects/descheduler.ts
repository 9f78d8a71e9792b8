import type { Manifest } from '../../platform/platform.ts'
import { forCluster, NAMESPACE } from './node-agent.ts'

/** The newest release whose policy is the one simulated. */
const IMAGE = 'registry.k8s.io/descheduler/descheduler:v0.34.0'
const NAME = 'descheduler'
const POLICY = 'descheduler-policy'

export interface DeschedulerSpec {
  /** It looks at pods of this namespace alone. */
  readonly namespace: string
  readonly restarts: number
  /** Pods with an emptyDir or hostPath go too. */
  readonly evictLocalStorage: boolean
}

/** A descheduler that sends pods of one namespace away when they have been restarted too often. Follows its kubernetes/base and kubernetes/deployment. */
export const descheduler = (spec: DeschedulerSpec): Manifest[] => [
  ...forCluster(NAME, [
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'update'] },
    { apiGroups: [''], resources: ['nodes', 'namespaces', 'persistentvolumeclaims'], verbs: READ },
    { apiGroups: [''], resources: ['pods'], verbs: [...READ, 'delete'] },
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    { apiGroups: ['scheduling.k8s.io'], resources: ['priorityclasses'], verbs: READ },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: READ },
  ]),
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: POLICY, namespace: NAMESPACE },
    data: { 'policy.yaml': policyText(spec) },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME, namespace: NAMESPACE },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: NAME } },
      template: {
        metadata: { labels: { app: NAME } },
        spec: {
          serviceAccountName: NAME,
          priorityClassName: 'system-cluster-critical',
          containers: [
            {
              name: NAME,
              image: IMAGE,
              args: ['--policy-config-file=/policy/policy.yaml', '--descheduling-interval=2m'],
              resources: { requests: { cpu: '500m', memory: '256Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                readOnlyRootFilesystem: true,
                runAsNonRoot: true,
              },
              volumeMounts: [{ name: 'policy', mountPath: '/policy' }],
            },
          ],
          volumes: [{ name: 'policy', configMap: { name: POLICY } }],
        },
      },
    },
  },
]

const READ = ['get', 'watch', 'list'] as const

const policyText = ({ namespace, restarts, evictLocalStorage }: DeschedulerSpec): string =>
  `apiVersion: descheduler/v1alpha2
kind: DeschedulerPolicy
profiles:
  - name: lost-devices
    pluginConfig:
${evictLocalStorage ? '      - name: DefaultEvictor\n        args:\n          evictLocalStoragePods: true\n' : ''}      - name: RemovePodsHavingTooManyRestarts
        args:
          podRestartThreshold: ${restarts}
          includingInitContainers: true
          namespaces:
            include: [${JSON.stringify(namespace)}]
    plugins:
      deschedule:
        enabled: [RemovePodsHavingTooManyRestarts]
`
