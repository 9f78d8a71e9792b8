import type { ContainerStats } from '../../nodes/container-stats.ts'
import type { World } from '../../world/world.ts'
import { KUBELET_PORT } from '../scrape/discovery.ts'
import type { Exporter } from '../scrape/network.ts'
import { parsePrometheusYml } from '../scrape/prometheus-yml.ts'
import type { ScrapeConfig } from '../scrape/scrape-config.ts'
import { cadvisorFamilies } from './cadvisor.ts'
import { DcgmExporter } from './dcgm.ts'
import { type ContainerPoint, Housekeeping } from './housekeeping.ts'
import type { KubeStateMetrics } from './kube-state-metrics.ts'

/** A node as its exporters see it: a `RunningNode` with its address and the kind of its GPUs. */
export interface ExportingNode {
  readonly name: string
  readonly ip: string
  readonly gpus: readonly string[]
  readonly gpu?: { readonly product: string; readonly memoryBytes: number }
  /** Undefined while the node is off or cannot be reached. */
  containerStats(): readonly ContainerStats[] | undefined
  /** The last Xid of a GPU. */
  xidOf?(gpu: string): number
}

const DCGM_PORT = 9400
const KUBE_STATE_METRICS = 'kube-state-metrics.monitoring.svc:8080'

/**
 * The exporters a cluster has besides what its platform brings: each kubelet with cAdvisor, dcgm-exporter on GPU nodes, and
 * kube-state-metrics. Nothing is measured on a node before somebody asks for it.
 */
export class ClusterExporters {
  private readonly world: World
  private readonly stateMetrics: KubeStateMetrics | undefined
  private readonly byName = new Map<string, ExportingNode>()
  private readonly byIp = new Map<string, ExportingNode>()
  private readonly housekeepings = new Map<string, Housekeeping>()
  private readonly dcgms = new Map<string, DcgmExporter>()

  constructor(options: { readonly world: World; readonly stateMetrics?: KubeStateMetrics }) {
    this.world = options.world
    this.stateMetrics = options.stateMetrics
  }

  add(node: ExportingNode): void {
    this.byName.set(node.name, node)
    this.byIp.set(node.ip, node)
  }

  remove(name: string): void {
    const node = this.byName.get(name)
    if (!node) return
    this.byName.delete(name)
    this.byIp.delete(node.ip)
    this.housekeepings.get(name)?.stop()
    this.housekeepings.delete(name)
    this.dcgms.get(name)?.stop()
    this.dcgms.delete(name)
  }

  /** What `/metrics/resource` and `/metrics/cadvisor` of a kubelet rest on; undefined when it does not answer. */
  readonly points = (nodeName: string): readonly ContainerPoint[] | undefined => {
    const node = this.byName.get(nodeName)
    if (!node) return undefined
    let housekeeping = this.housekeepings.get(nodeName)
    if (!housekeeping) {
      housekeeping = new Housekeeping({
        clock: this.world.clock,
        random: this.world.random(`cadvisor/${nodeName}`),
        read: () => node.containerStats(),
      })
      this.housekeepings.set(nodeName, housekeeping)
    }
    if (node.containerStats() === undefined) return undefined
    return housekeeping.read() ?? []
  }

  /** For `podScrapes`: a kubelet by its node's name. */
  readonly kubelets = (nodeName: string): Exporter | undefined => {
    if (!this.byName.has(nodeName)) return undefined
    return (path, wanted) => {
      const points = this.points(nodeName)
      if (!points) return 'down'
      if (path === '/metrics/cadvisor') return cadvisorFamilies(points, wanted)
      return path === '/metrics' || path === '/metrics/probes' ? [] : undefined
    }
  }

  /** For `podScrapes`: by address. */
  readonly exporters = (address: string): Exporter | undefined => {
    const { stateMetrics } = this
    if (address === KUBE_STATE_METRICS && stateMetrics)
      return (path, wanted) => (path === '/metrics' ? stateMetrics.families(wanted) : undefined)
    const [ip, port] = address.split(':')
    const node = this.byIp.get(ip!)
    if (!node) return undefined
    if (port === String(KUBELET_PORT)) return this.kubelets(node.name)
    if (port !== String(DCGM_PORT) || !node.gpu) return undefined
    return (path, wanted) => (path === '/metrics' ? this.dcgmOf(node).families(wanted) : undefined)
  }

  private dcgmOf(node: ExportingNode): DcgmExporter {
    let dcgm = this.dcgms.get(node.name)
    if (!dcgm) {
      const { name, gpus, xidOf } = node
      dcgm = new DcgmExporter({
        clock: this.world.clock,
        random: this.world.random(`dcgm-exporter/${name}`),
        node: {
          name,
          gpus,
          product: node.gpu!.product,
          memoryBytes: node.gpu!.memoryBytes,
          containerStats: () => node.containerStats(),
          ...(xidOf ? { xidOf: (gpu: string) => xidOf(gpu) } : {}),
        },
      })
      this.dcgms.set(name, dcgm)
    }
    return dcgm
  }
}

/**
 * The jobs that scrape those exporters, as kube-prometheus-stack and the GPU operator set them up: labels are honoured but for
 * DCGM's, where the workload's become `exported_namespace`, `exported_pod` and `exported_container`.
 */
export function exporterJobs(): readonly ScrapeConfig[] {
  return parsePrometheusYml(`
global: {scrape_interval: 30s, scrape_timeout: 10s}
scrape_configs:
- job_name: kube-state-metrics
  honor_labels: true
  static_configs:
  - targets: ['${KUBE_STATE_METRICS}']
    labels: {namespace: monitoring, service: kube-state-metrics, endpoint: http, container: kube-state-metrics}
- job_name: kubelet
  honor_labels: true
  track_timestamps_staleness: true
  metrics_path: /metrics/cadvisor
  kubernetes_sd_configs: [{role: node}]
  relabel_configs:
  - {source_labels: [__address__], target_label: instance}
  - {source_labels: [__metrics_path__], target_label: metrics_path}
  - {source_labels: [__meta_kubernetes_node_name], target_label: node}
  - {target_label: namespace, replacement: kube-system}
  - {target_label: service, replacement: kubelet}
  - {target_label: endpoint, replacement: https-metrics}
- job_name: nvidia-dcgm-exporter
  kubernetes_sd_configs: [{role: node}]
  relabel_configs:
  - {source_labels: [__meta_kubernetes_node_label_nvidia_com_gpu_present], action: keep, regex: true}
  - {source_labels: [__address__], regex: '(.*):.*', replacement: '$1:${DCGM_PORT}', target_label: __address__}
  - {source_labels: [__address__], target_label: instance}
  - {target_label: namespace, replacement: gpu-operator}
  - {target_label: service, replacement: nvidia-dcgm-exporter}
  - {target_label: endpoint, replacement: gpu-metrics}
  - {target_label: container, replacement: nvidia-dcgm-exporter}
  - {source_labels: [__meta_kubernetes_node_name], target_label: pod, replacement: nvidia-dcgm-exporter-$1}
`).scrapes
}
