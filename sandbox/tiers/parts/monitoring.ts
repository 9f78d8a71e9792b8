import { runKeda } from '../../autoscaling/keda/keda.ts'
import { kedaBackend } from '../../autoscaling/keda/metrics-server.ts'
import type { PrometheusLookup } from '../../autoscaling/keda/scalers/prometheus-http.ts'
import type { MetricsClient } from '../../autoscaling/metrics-client.ts'
import type { Kube } from '../../kube/kube.ts'
import { MetricsApis, metricsClient } from '../../metrics/adapter/metrics-client.ts'
import { PrometheusAdapter } from '../../metrics/adapter/prometheus-adapter.ts'
import { ClusterExporters, type ExportingNode } from '../../metrics/exporters/cluster-exporters.ts'
import { KubeStateMetrics } from '../../metrics/exporters/kube-state-metrics.ts'
import { TsdbQuerier } from '../../metrics/promql/engine.ts'
import { type Querier, QueryError } from '../../metrics/querier.ts'
import { MetricsServer } from '../../metrics/resource/metrics-server.ts'
import { RuleManager, type RuleManagerOptions } from '../../metrics/rules/manager.ts'
import {
  fileSource,
  fixedSource,
  operatorSource,
  type ScrapeSource,
  sources,
} from '../../metrics/scrape/config-source.ts'
import { ScrapeFaultBoard } from '../../metrics/scrape/faults.ts'
import { podScrapes } from '../../metrics/scrape/network.ts'
import { Prometheus } from '../../metrics/scrape/prometheus.ts'
import { Tsdb } from '../../metrics/tsdb/tsdb.ts'
import type { PodNetwork } from '../../network/pod-network.ts'
import { policed } from '../../network/policed.ts'
import { minutes, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { MonitoringOptions, MonitoringPrometheus } from '../monitoring-options.ts'
import type { SandboxOptions } from '../tier.ts'

/** What measures the simulated cluster and tells its autoscalers. */
export interface Monitoring {
  /** What the HorizontalPodAutoscaler controller asks. */
  readonly client: MetricsClient
  readonly apis: MetricsApis
  readonly faults: ScrapeFaultBoard
  readonly servers: readonly RunningPrometheus[]
  /** Those that raise alerts: the same servers, as far as anybody outside can tell. */
  readonly alerting: readonly RunningPrometheus[]
  /** What autoscalers rest on and is not simulated, one line each. */
  refusals(): readonly string[]
  /** A node came: its kubelet and its GPUs are measured. */
  nodeAdded(node: ExportingNode): void
  nodeRemoved(name: string): void
}

interface RunningPrometheus {
  readonly addresses: MonitoringPrometheus['addresses']
  readonly server: Prometheus
  readonly querier: Querier
  stop(): void
  start(): void
}

interface Parts {
  readonly world: World
  readonly network: PodNetwork
  readonly kubeOf: (process: string) => Kube
  readonly options: Pick<SandboxOptions, 'lag'> & { readonly monitoring: MonitoringOptions }
}

/** Queries look back over an hour at most. */
const RETENTION: Us = minutes(90)

/** Starts what the options name: each part is a process with a client of its own. */
export function startMonitoring({ world, network, kubeOf, options }: Parts): Monitoring {
  const { monitoring, lag } = options
  const { alerting = [] } = monitoring
  const measured = monitoring.prometheus.length + alerting.length > 0
  const stateMetrics = measured ? new KubeStateMetrics(kubeOf('kube-state-metrics')) : undefined
  const exporters = new ClusterExporters({ world, ...(stateMetrics ? { stateMetrics } : {}) })
  const faults = new ScrapeFaultBoard()
  const servers = monitoring.prometheus.map((one, i) =>
    startPrometheus(one, i === 0 ? 'prometheus' : `prometheus-${i}`, { world, network, kubeOf, exporters, faults }),
  )
  const alerts = alerting.map((one, i) =>
    startPrometheus(one, `alerting-${i}`, { world, network, kubeOf, exporters, faults }),
  )
  const apis = new MetricsApis()
  if (monitoring.metricsServer)
    apis.serve(
      'metrics.k8s.io',
      'metrics-server',
      new MetricsServer({ world, kube: kubeOf('metrics-server'), kubelet: exporters.points }),
    )
  if (monitoring.adapter) {
    const { config, relistIntervalUs } = monitoring.adapter
    const kube = kubeOf('prometheus-adapter')
    const querier = servers[0]?.querier ?? UNREACHABLE
    const adapter = new PrometheusAdapter({
      world,
      kube,
      querier,
      config,
      ...(relistIntervalUs === undefined ? {} : { relistIntervalUs }),
    })
    if (config.rules.length > 0) apis.serve('custom.metrics.k8s.io', 'prometheus-adapter', adapter)
    if (config.externalRules.length > 0) apis.serve('external.metrics.k8s.io', 'prometheus-adapter', adapter)
  }
  const keda = monitoring.keda
    ? runKeda({ world, kube: kubeOf('keda-operator'), prometheus: lookupIn(servers) })
    : undefined
  if (keda) apis.serve('external.metrics.k8s.io', 'keda', kedaBackend(keda.metrics))
  return {
    client: metricsClient({ world, apis, latency: lag.requestLatency.read, process: 'kube-controller-manager' }),
    apis,
    faults,
    servers,
    alerting: alerts,
    refusals: () => [
      ...(keda?.refusals ?? []),
      ...servers.flatMap(({ server }) => server.unmodelled.map(({ where, what }) => `${where}: ${what}`)),
    ],
    nodeAdded: (node) => exporters.add(node),
    nodeRemoved: (name) => exporters.remove(name),
  }
}

function startPrometheus(
  { addresses, source, jobs, rules, wanted, peer }: MonitoringPrometheus,
  name: string,
  parts: Pick<Parts, 'world' | 'network' | 'kubeOf'> & { exporters: ClusterExporters; faults: ScrapeFaultBoard },
): RunningPrometheus {
  const { world, network, kubeOf, exporters, faults } = parts
  const kube = kubeOf(name)
  const tsdb = new Tsdb({ retention: RETENTION })
  const server = new Prometheus({
    world,
    kube,
    appender: tsdb,
    faults,
    wanted,
    name,
    source: sources([sourceOf(kube, source), fixedSource(jobs)]),
    network: podScrapes({
      ...{ network, kube, exporters: exporters.exporters, kubelets: exporters.kubelets },
      ...(peer ? { admits: policed(kube, peer) } : {}),
    }),
  })
  const querier = new TsdbQuerier(tsdb)
  const manager = new RuleManager({ world, tsdb, querier, groups: rules, ...toldOf(world, name) })
  manager.start()
  return {
    addresses,
    server,
    querier: server.guard(querier),
    stop() {
      server.stop()
      manager.stop()
    },
    start() {
      server.start()
      manager.start()
    },
  }
}

/** Alerts as the journal tells them. */
const toldOf = ({ clock, journal }: World, by: string): Pick<RuleManagerOptions, 'onAlert' | 'onFailure'> => ({
  onAlert: ({ rule, labels, state, activeAt }) =>
    journal.append({ type: 'alert', by, alert: rule.alert, labels, state, activeAt }),
  onFailure(rule, error) {
    if (rule.kind !== 'alerting') return
    journal.append({ type: 'alert', by, alert: rule.alert, labels: {}, state: 'failed', activeAt: clock.now, error })
  },
})

function sourceOf(kube: Kube, source: MonitoringPrometheus['source']): ScrapeSource {
  if (source.kind === 'file') return fileSource(kube, source.configMap, source.dataKey)
  return operatorSource(kube, 'object' in source ? source.object : undefined)
}

/** The server an address leads to. One that went down refuses connections. */
function lookupIn(servers: readonly RunningPrometheus[]): PrometheusLookup {
  return (address) => {
    const found = servers.find(({ addresses }) => addresses === 'any' || addresses.includes(address))
    if (!found) return undefined
    const { querier, server } = found
    return { querier, condition: () => ({ latency: 0, ...(server.up ? {} : { failure: 'refused' as const }) }) }
  }
}

/** Where the adapter's Prometheus is nowhere among the manifests. */
const UNREACHABLE: Querier = {
  instant() {
    throw new QueryError('PROMQL_UNAVAILABLE', 'dial tcp: lookup prometheus: no such host')
  },
}
