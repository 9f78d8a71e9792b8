import type { Manifest } from '../../platform/platform.ts'
import { forCluster, NAMESPACE } from './node-agent.ts'

const IMAGE = 'public.ecr.aws/aws-ec2/aws-node-termination-handler:v1.25.2'
const NAME = 'aws-node-termination-handler'

/**
 * What drains a machine of EC2 when its notice comes: it asks the instance metadata on each node. Follows the chart of
 * aws-node-termination-handler with its defaults, without probes and metrics.
 */
export const awsTerminationHandler = (): Manifest[] => [
  ...forCluster(NAME, [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch', 'update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['get'] },
  ]),
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: NAME, namespace: NAMESPACE },
    spec: {
      selector: { matchLabels: { app: NAME } },
      template: {
        metadata: { labels: { app: NAME } },
        spec: {
          serviceAccountName: NAME,
          priorityClassName: 'system-node-critical',
          hostNetwork: true,
          dnsPolicy: 'ClusterFirstWithHostNet',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [{ operator: 'Exists' }],
          containers: [
            {
              name: NAME,
              image: IMAGE,
              env: [
                ...Object.entries(FIELDS).map(([name, fieldPath]) => ({
                  name,
                  valueFrom: { fieldRef: { fieldPath } },
                })),
                { name: 'ENABLE_SPOT_INTERRUPTION_DRAINING', value: 'true' },
                { name: 'DELETE_LOCAL_DATA', value: 'true' },
                { name: 'IGNORE_DAEMON_SETS', value: 'true' },
                // minus one: each pod's own grace period
                { name: 'POD_TERMINATION_GRACE_PERIOD', value: '-1' },
                { name: 'UPTIME_FROM_FILE', value: '/proc/uptime' },
              ],
              resources: { requests: { cpu: '50m', memory: '64Mi' } },
              securityContext: {
                readOnlyRootFilesystem: true,
                runAsNonRoot: true,
                allowPrivilegeEscalation: false,
                runAsUser: 1000,
                runAsGroup: 1000,
              },
              volumeMounts: [{ name: 'uptime', mountPath: '/proc/uptime', readOnly: true }],
            },
          ],
          volumes: [{ name: 'uptime', hostPath: { path: '/proc/uptime' } }],
        },
      },
    },
  },
]

/** What it asks the downward API. */
const FIELDS = { NODE_NAME: 'spec.nodeName', POD_NAME: 'metadata.name', NAMESPACE: 'metadata.namespace' } as const
