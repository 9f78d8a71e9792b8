import { adapterConfig } from '../../../sandbox/metrics/adapter/config.ts'
import type { MonitoringOptions } from '../../../sandbox/tiers/monitoring-options.ts'
import type { Chance } from '../chance.ts'
import type { Manifest, RandomWorkload } from '../platform.ts'

type Fields = Record<string, unknown>

/** Autoscalers for some workloads, with monitors so that some of their metrics exist. */
export function randomScalers(chance: Chance, workloads: readonly RandomWorkload[]): Manifest[] {
  const scalable = workloads.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
  return scalable.flatMap((workload) => {
    const made = chance.oneOf(['none', 'none', 'hpa', 'keda'] as const)
    if (made === 'none') return []
    const monitored = workload.servicePort !== undefined && chance.yes(0.7)
    return [
      ...(monitored ? [serviceMonitor(chance, workload)] : []),
      made === 'hpa' ? horizontal(chance, workload) : scaledObject(chance, workload),
    ]
  })
}

/** What measures such a platform: everything an autoscaler could ask. */
export function randomMonitoring(chance: Chance): MonitoringOptions {
  const rule = {
    seriesQuery: 'vllm:num_requests_waiting{namespace!="",pod!=""}',
    resources: { overrides: { namespace: { resource: 'namespace' }, pod: { resource: 'pod' } } },
    name: { as: 'vllm_waiting' },
    metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)',
  }
  const external = { ...rule, name: { as: 'vllm_waiting_all' } }
  return {
    metricsServer: chance.yes(0.9),
    prometheus: [{ addresses: 'any', source: { kind: 'operator' }, jobs: [], rules: [], wanted: 'all' }],
    ...(chance.yes(0.8) ? { adapter: { config: adapterConfig({ rules: [rule], externalRules: [external] }) } } : {}),
    keda: true,
  }
}

function horizontal(chance: Chance, { kind, namespace, name }: RandomWorkload): Manifest {
  const minReplicas = chance.oneOf([1, 1, 2, 2, 5])
  const metrics = [
    {
      type: 'Resource',
      resource: {
        name: 'cpu',
        target: { type: 'Utilization', averageUtilization: chance.oneOf([10, 50, 80]) },
      },
    },
    {
      type: 'Resource',
      resource: { name: 'memory', target: { type: 'AverageValue', averageValue: chance.oneOf(['50Mi', '8Gi']) } },
    },
    {
      type: 'Pods',
      pods: { metric: { name: 'vllm_waiting' }, target: { type: 'AverageValue', averageValue: '2' } },
    },
    {
      type: 'External',
      external: { metric: { name: 'vllm_waiting_all' }, target: { type: 'AverageValue', averageValue: '3' } },
    },
  ]
  const chosen = metrics.filter(() => chance.yes(0.4))
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: `${name}-hpa`, namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind, name },
      minReplicas,
      maxReplicas: chance.yes(0.1) ? 30 : minReplicas + chance.whole(0, 4),
      metrics: chosen.length > 0 ? chosen : [metrics[0]],
      ...chance.fields(0.4, () => ({ behavior: behaviour(chance) })),
    },
  }
}

const behaviour = (chance: Chance): Fields => ({
  scaleDown: {
    stabilizationWindowSeconds: chance.oneOf([0, 60, 300]),
    ...chance.fields(0.5, () => ({ policies: [{ type: 'Pods', value: 1, periodSeconds: 30 }] })),
    ...chance.fields(0.1, () => ({ selectPolicy: 'Disabled' })),
  },
  scaleUp: chance.yes(0.5) ? { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] } : {},
})

function scaledObject(chance: Chance, { kind, namespace, name }: RandomWorkload): Manifest {
  const minReplicaCount = chance.oneOf([0, 0, 1, 2])
  const triggers = [prometheusTrigger(chance, name), cronTrigger(chance), cpuTrigger(chance)]
  const chosen = triggers.filter(() => chance.yes(0.4))
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: `${name}-scaled`, namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind, name },
      minReplicaCount,
      maxReplicaCount: chance.yes(0.1) ? 30 : Math.max(1, minReplicaCount) + chance.whole(0, 4),
      pollingInterval: chance.oneOf([5, 30]),
      cooldownPeriod: chance.oneOf([10, 60, 300]),
      ...(minReplicaCount === 2 ? chance.fields(0.5, () => ({ idleReplicaCount: 0 })) : {}),
      ...chance.fields(0.3, () => ({ fallback: { failureThreshold: 2, replicas: chance.whole(1, 2) } })),
      triggers: chosen.length > 0 ? chosen : [triggers[chance.whole(0, 1)]],
    },
  }
}

const prometheusTrigger = (chance: Chance, name: string): Fields => ({
  type: 'prometheus',
  metadata: {
    serverAddress: 'http://prometheus.monitoring:9090',
    query: chance.oneOf([
      `sum(vllm:num_requests_waiting{service="${name}"})`,
      `sum(rate(vllm:request_success_total{service="${name}"}[2m]))`,
      `sum(up{service="${name}"})`,
      'absent(nothing_has_this_name)',
    ]),
    threshold: chance.oneOf(['1', '5']),
    ...chance.fields(0.4, () => ({ activationThreshold: '0.5' })),
    ...chance.fields(0.2, () => ({ ignoreNullValues: 'false' })),
  },
})

/** The trial begins at midnight UTC. */
const cronTrigger = (chance: Chance): Fields => ({
  type: 'cron',
  metadata: {
    timezone: chance.oneOf(['UTC', 'Europe/Berlin', 'America/New_York']),
    start: `${chance.whole(0, 29)} * * * *`,
    end: `${chance.whole(30, 59)} * * * *`,
    desiredReplicas: String(chance.whole(1, 4)),
  },
})

const cpuTrigger = (chance: Chance): Fields => ({
  type: 'cpu',
  metricType: 'Utilization',
  metadata: { value: String(chance.oneOf([20, 70])) },
})

const serviceMonitor = (chance: Chance, { namespace, name }: RandomWorkload): Manifest => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    endpoints: [{ port: 'http', interval: chance.oneOf(['5s', '15s', '30s']) }],
  },
})
