import { ConfigMap, kindOf, Namespace } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { KubeObject, LabelSelector, OtherObject } from '../../kube/objects.ts'
import { selects } from '../../kube/selects.ts'
import { parsePrometheusDuration } from './duration.ts'
import { type Monitor, type MonitorDefaults, monitorConfigs } from './monitors.ts'
import { parsePrometheusYml } from './prometheus-yml.ts'
import { DEFAULTS, type ScrapeConfig, type Unmodelled } from './scrape-config.ts'
import { type ScrapeConfigObject, scrapeObjectConfig } from './scrape-objects.ts'

/** Where the scrape jobs of a Prometheus come from. */
export interface ScrapeSource {
  read(): { readonly configs: readonly ScrapeConfig[]; readonly unmodelled: readonly Unmodelled[] }
  /** Calls back when another reading could give something else. Returns how to stop. */
  watch(changed: () => void): () => void
}

/** A Prometheus of monitoring.coreos.com/v1, as far as it is read. */
export interface PrometheusObject extends OtherObject {
  spec: {
    readonly serviceMonitorSelector?: LabelSelector
    readonly serviceMonitorNamespaceSelector?: LabelSelector
    readonly podMonitorSelector?: LabelSelector
    readonly podMonitorNamespaceSelector?: LabelSelector
    readonly scrapeConfigSelector?: LabelSelector
    readonly scrapeConfigNamespaceSelector?: LabelSelector
    readonly scrapeInterval?: string
    readonly scrapeTimeout?: string
    readonly podTargetLabels?: readonly string[]
    readonly serviceDiscoveryRole?: 'Endpoints' | 'EndpointSlice'
    readonly [field: string]: unknown
  }
}

const monitoring = (kind: string) => kindOf({ apiVersion: 'monitoring.coreos.com/v1', kind })
export const ServiceMonitor = monitoring('ServiceMonitor')
export const PodMonitor = monitoring('PodMonitor')
export const ScrapeConfigKind = kindOf({ apiVersion: 'monitoring.coreos.com/v1alpha1', kind: 'ScrapeConfig' })

/** Fields of a Prometheus object that change what is scraped and are not simulated. */
const UNMODELLED_FIELDS = [
  ...['additionalScrapeConfigs', 'shards', 'enforcedNamespaceLabel'],
  ...['overrideHonorLabels', 'overrideHonorTimestamps', 'ignoreNamespaceSelectors', 'enforcedSampleLimit'],
  ...['scrapeClasses', 'arbitraryFSAccessThroughSMs'],
] as const
/** Of these, values that do nothing. */
const DOES_NOTHING = (field: string, value: unknown): boolean =>
  value === undefined ||
  value === false ||
  (field === 'shards' && value === 1) ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0)

/**
 * Monitors and ScrapeConfigs as prometheus-operator hands them to a Prometheus object; without the object (it is installed elsewhere),
 * every one in the cluster and the operator's default interval.
 */
export function operatorSource(kube: Kube, prometheus?: PrometheusObject): ScrapeSource {
  const kinds = [ServiceMonitor, PodMonitor, ScrapeConfigKind] as const
  const made = new WeakMap<KubeObject, { configs: ScrapeConfig[]; unmodelled: Unmodelled[] }>()
  const defaults = defaultsOf(prometheus)
  return {
    read() {
      const configs: ScrapeConfig[] = []
      const unmodelled: Unmodelled[] = [...fieldsOf(prometheus)]
      for (const kind of kinds)
        for (const monitor of kube.list(kind) as readonly Source[]) {
          if (!isSelected(kube, monitor, prometheus)) continue
          let known = made.get(monitor)
          if (!known) {
            known = read(monitor, defaults)
            made.set(monitor, known)
          }
          configs.push(...known.configs)
          unmodelled.push(...known.unmodelled)
        }
      return { configs, unmodelled }
    },
    watch(changed) {
      const handler = { added: changed, updated: changed, deleted: changed }
      const stops = [...kinds, Namespace].map((kind) => kube.watch(kind as typeof ServiceMonitor, handler))
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

/** The prometheus.yml in a ConfigMap. The file in a pod and its reload come a while after the ConfigMap; that while is left out. */
export function fileSource(kube: Kube, configMap: string, dataKey: string): ScrapeSource {
  let last: { object: KubeObject; result: ReturnType<ScrapeSource['read']> } | undefined
  return {
    read() {
      const object = kube.get(ConfigMap, configMap)
      if (!object) return last?.result ?? { configs: [], unmodelled: [] }
      if (last?.object === object) return last.result
      const text = (object.data as Readonly<Record<string, string>> | undefined)?.[dataKey] ?? ''
      try {
        const { scrapes, unmodelled } = parsePrometheusYml(text)
        last = { object, result: { configs: scrapes, unmodelled } }
      } catch (error) {
        // a reload of a bad file fails, and the server goes on with what it had
        const what = `${dataKey}: ${error instanceof Error ? error.message : String(error)}`
        const unmodelled = [{ where: `ConfigMap ${configMap}`, what }]
        last = { object, result: { configs: last?.result.configs ?? [], unmodelled } }
      }
      return last.result
    },
    watch(changed) {
      const about = (object: KubeObject) => {
        if (`${object.metadata.namespace}/${object.metadata.name}` === configMap) changed()
      }
      return kube.watch(ConfigMap, { added: about, updated: (_before, after) => about(after), deleted: about })
    },
  }
}

/** Jobs that do not change: what is scraped of exporters outside the platform. */
export const fixedSource = (configs: readonly ScrapeConfig[]): ScrapeSource => ({
  read: () => ({ configs, unmodelled: [] }),
  watch: () => () => {},
})

/** All that several sources give. */
export const sources = (all: readonly ScrapeSource[]): ScrapeSource => ({
  read() {
    const results = all.map((source) => source.read())
    return { configs: results.flatMap((r) => r.configs), unmodelled: results.flatMap((r) => r.unmodelled) }
  },
  watch(changed) {
    const stops = all.map((source) => source.watch(changed))
    return () => {
      for (const stop of stops) stop()
    }
  },
})

/** What scrape jobs are made of. */
type Source = Monitor | ScrapeConfigObject

function read(monitor: Source, defaults: MonitorDefaults): { configs: ScrapeConfig[]; unmodelled: Unmodelled[] } {
  const where = `${monitor.kind} ${monitor.metadata.namespace}/${monitor.metadata.name}`
  try {
    return monitor.kind === 'ScrapeConfig'
      ? scrapeObjectConfig(monitor as ScrapeConfigObject, defaults)
      : { configs: monitorConfigs(monitor as Monitor, defaults), unmodelled: [] }
  } catch (error) {
    const what = `prometheus-operator rejects it: ${error instanceof Error ? error.message : String(error)}`
    return { configs: [], unmodelled: [{ where, what }] }
  }
}

function defaultsOf(prometheus: PrometheusObject | undefined): MonitorDefaults {
  const { scrapeInterval, scrapeTimeout, podTargetLabels = [], serviceDiscoveryRole } = prometheus?.spec ?? {}
  return {
    intervalUs: parsePrometheusDuration(scrapeInterval ?? '') ?? DEFAULTS.operatorIntervalUs,
    timeoutUs: parsePrometheusDuration(scrapeTimeout ?? ''),
    podTargetLabels,
    endpointsRole: serviceDiscoveryRole === 'EndpointSlice' ? 'endpointslice' : 'endpoints',
  }
}

function fieldsOf(prometheus: PrometheusObject | undefined): Unmodelled[] {
  if (!prometheus) return []
  const where = `Prometheus ${prometheus.metadata.namespace}/${prometheus.metadata.name}`
  return UNMODELLED_FIELDS.filter((field) => !DOES_NOTHING(field, prometheus.spec[field])).map((what) => ({
    where,
    what,
  }))
}

/**
 * Whether a Prometheus object selects a monitor: no selector selects nothing, an empty one everything; no namespace selector is
 * the object's own namespace.
 */
// follows selectObjects of prometheus-operator's pkg/prometheus/resource_selector.go
function isSelected(kube: Kube, monitor: Source, prometheus: PrometheusObject | undefined): boolean {
  if (!prometheus) return true
  const { spec } = prometheus
  const [selector, namespaces] = {
    PodMonitor: [spec.podMonitorSelector, spec.podMonitorNamespaceSelector],
    ServiceMonitor: [spec.serviceMonitorSelector, spec.serviceMonitorNamespaceSelector],
    ScrapeConfig: [spec.scrapeConfigSelector, spec.scrapeConfigNamespaceSelector],
  }[monitor.kind]
  if (!selector || !selects(selector, monitor.metadata.labels)) return false
  if (!namespaces) return monitor.metadata.namespace === prometheus.metadata.namespace
  const namespace = kube.get(Namespace, monitor.metadata.namespace ?? '')
  return selects(
    namespaces,
    namespace?.metadata.labels ?? { 'kubernetes.io/metadata.name': monitor.metadata.namespace ?? '' },
  )
}
