import type { KubeObject } from '../../../../sandbox/kube/objects.ts'
import {
  type AdapterConfig,
  AdapterConfigError,
  adapterArguments,
  adapterConfig,
  helmRules,
  parseAdapterConfig,
} from '../../../../sandbox/metrics/adapter/config.ts'
import {
  type DeclaredPrometheus,
  declaredAdapterConfigs,
  declaredPrometheus,
} from '../../../../sandbox/metrics/scrape/declared.ts'
import { parsePrometheusDuration } from '../../../../sandbox/metrics/scrape/duration.ts'
import type { Peer } from '../../../../sandbox/network/network-policy.ts'
import type { MonitoringOptions, MonitoringPrometheus } from '../../../../sandbox/tiers/monitoring-options.ts'
import { minutes } from '../../../../sandbox/world/time.ts'
import { groupOf, namespaceOf, type Platform, type PlatformObject } from '../../platform.ts'
import { prometheusPeer } from '../network-peers.ts'
import { withNamespaceLabels } from '../network-reach.ts'
import { isMap, podTemplatesOf } from '../pod-templates.ts'
import { addressesOf } from './addresses.ts'
import { type ExporterName, jobsOf } from './jobs.ts'
import { declaredRules, neededRules } from './rules.ts'
import { scalingIn } from './scaling.ts'
import { wantedBy } from './wanted.ts'

/** What measures a platform and tells its autoscalers, with what was taken on trust to say so. */
export interface Monitoring {
  readonly options: MonitoringOptions
  /** Every Prometheus the platform tells of, asked by an autoscaler or not. */
  readonly servers: readonly Pick<MonitoringPrometheus, 'source' | 'jobs' | 'peer'>[]
  /** Exporters outside the platform whose metrics a Prometheus has. */
  readonly exporters: ReadonlySet<ExporterName>
  /** One line each. */
  readonly taken: readonly string[]
  /** What is declared and cannot be read. */
  readonly problems: readonly MonitoringProblem[]
}

export interface MonitoringProblem {
  /** Undefined: seatrial.yaml. */
  readonly object?: PlatformObject
  readonly unsupported: boolean
  readonly message: string
}

/** What a tier is told of a platform's monitoring. Plain values. */
export const monitoringOf = (platform: Platform): MonitoringOptions => describeMonitoring(platform).options

/** Reads what of monitoring the manifests and `metrics:` of seatrial.yaml declare. A Prometheus runs only where KEDA or an adapter asks it. */
export function describeMonitoring(platform: Platform): Monitoring {
  const problems: MonitoringProblem[] = []
  const settings = platform.config?.metrics
  const adapter = adapterOf(platform, problems)
  const keda = platform.objects.some(isScaledObject)
  const asked = addressesAsked(platform)
  const declared = declaredPrometheus(withNamespaces(platform))
  const exporters = exportersOf(platform)
  const taken: string[] = []
  const usesResources = platform.objects.some((o) => scalingIn(o)?.signals.some(({ kind }) => kind === 'resource'))
  if (usesResources && settings?.metricsServer === undefined) taken.push('metrics-server runs in the cluster')
  if (keda && !hasImage(platform, /\/keda\b/)) taken.push('KEDA runs in the cluster')
  if (adapter && !hasImage(platform, /prometheus-adapter/)) taken.push('prometheus-adapter runs in the cluster')
  const annotations = settings?.prometheus?.annotations ?? (declared.length === 0 && hasAnnotations(platform))
  const jobs = jobsOf({ ...settings?.prometheus, annotations, exporters })
  const sources = sourcesOf(platform, declared, jobs.length > 0 || settings?.prometheus !== undefined)
  const isAsked = asked.length > 0 || adapter !== undefined
  const peer = policedPeer(platform)
  const servers = sources.map((source, i) => ({ source, jobs: i === 0 ? jobs : [], ...(peer ? { peer } : {}) }))
  if (isAsked) taken.push(...probesIn(platform))
  if (isAsked && declared.length === 0 && sources.length > 0)
    taken.push(
      annotations && settings?.prometheus?.annotations === undefined
        ? 'a Prometheus outside the manifests scrapes what has prometheus.io/scrape: "true", once a minute'
        : 'a Prometheus outside the manifests takes every ServiceMonitor and PodMonitor, and all PrometheusRules',
    )
  const prometheus = isAsked
    ? servers.map((server): MonitoringPrometheus => {
        const { source } = server
        const rules = declaredRules(platform, source)
        problems.push(...rules.problems)
        const asking = wantedBy(platform, adapter?.config)
        const needed = neededRules(rules.groups, asking)
        return {
          addresses: sources.length === 1 ? 'any' : addressesOf(platform, source, asked),
          ...server,
          rules: needed,
          wanted: wantedBy(platform, adapter?.config, needed),
        }
      })
    : []
  const options = {
    metricsServer: settings?.metricsServer ?? true,
    prometheus,
    ...(adapter ? { adapter } : {}),
    keda,
  }
  return { options, servers, exporters, taken, problems }
}

/** Addresses of Prometheus servers that KEDA asks, as written. */
export const addressesAsked = (platform: Platform): string[] => [
  ...new Set(
    platform.objects
      .flatMap((object) => scalingIn(object)?.signals ?? [])
      .flatMap((signal) => (signal.kind === 'prometheus' && signal.serverAddress !== '' ? [signal.serverAddress] : [])),
  ),
]

export const isScaledObject = ({ manifest }: PlatformObject): boolean =>
  manifest.kind === 'ScaledObject' && groupOf(manifest.apiVersion) === 'keda.sh'

function sourcesOf(
  platform: Platform,
  declared: readonly DeclaredPrometheus[],
  elsewhere: boolean,
): (DeclaredPrometheus | { readonly kind: 'operator' })[] {
  if (declared.length > 0) return [...declared]
  const monitors = platform.objects.some(
    ({ manifest }) =>
      groupOf(manifest.apiVersion) === 'monitoring.coreos.com' &&
      /^((Service|Pod)Monitor|ScrapeConfig)$/.test(manifest.kind),
  )
  return monitors || elsewhere ? [{ kind: 'operator' }] : []
}

/** Who Prometheus is to NetworkPolicies, where there are any. */
function policedPeer(platform: Platform): Peer | undefined {
  if (!platform.objects.some(({ manifest }) => manifest.kind === 'NetworkPolicy')) return undefined
  const peer = prometheusPeer(platform)
  return peer && withNamespaceLabels(platform, peer)
}

/** Probe objects of prometheus-operator: the series their prober would make do not exist here. */
const probesIn = (platform: Platform): string[] =>
  platform.objects
    .filter(({ manifest }) => manifest.kind === 'Probe' && groupOf(manifest.apiVersion) === 'monitoring.coreos.com')
    .map(({ id }) => `${id} is not simulated: no prober runs, and no series of it (probe_success) exists`)

/** Objects as the API server would have them: with a namespace. */
const withNamespaces = ({ objects }: Platform): KubeObject[] =>
  objects.map((object) => {
    const { manifest } = object
    const metadata = { ...manifest.metadata, namespace: namespaceOf(object) }
    const spec = manifest.kind === 'Prometheus' && !isMap(manifest['spec']) ? { spec: {} } : {}
    return { ...manifest, ...spec, metadata } as unknown as KubeObject
  })

/** The chart's default of `metricsRelistInterval`. */
const CHART_RELIST = minutes(1)

function adapterOf(platform: Platform, problems: MonitoringProblem[]): MonitoringOptions['adapter'] {
  const given = platform.config?.metrics?.adapter
  if (given) {
    const config = tried(problems, undefined, () => {
      const { rules = [], externalRules } = given
      const own = Array.isArray(rules) ? adapterConfig({ rules }) : helmRules(rules)
      return { ...own, externalRules: [...own.externalRules, ...adapterConfig({ externalRules }).externalRules] }
    })
    return config && { config, relistIntervalUs: given.relistInterval ?? CHART_RELIST }
  }
  const configs = declaredAdapterConfigs(withNamespaces(platform)).flatMap(({ configMap, text }) => {
    const object = platform.objects.find(
      (one) => one.manifest.kind === 'ConfigMap' && `${namespaceOf(one)}/${one.manifest.metadata.name}` === configMap,
    )
    return tried(problems, object, () => parseAdapterConfig(text)) ?? []
  })
  if (configs.length === 0) return undefined
  const relist = relistInterval(platform)
  return { config: configs.reduce(merged), ...(relist === undefined ? {} : { relistIntervalUs: relist }) }
}

const merged = (a: AdapterConfig, b: AdapterConfig): AdapterConfig => ({
  ...a,
  ...b,
  rules: [...a.rules, ...b.rules],
  externalRules: [...a.externalRules, ...b.externalRules],
})

function tried<T>(problems: MonitoringProblem[], object: PlatformObject | undefined, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof AdapterConfigError)) throw error
    problems.push({ ...(object ? { object } : {}), unsupported: false, message: error.message })
    return undefined
  }
}

function* containersOf(platform: Platform) {
  for (const object of platform.objects)
    for (const { spec } of podTemplatesOf(object)) yield* spec.containers.filter((container) => isMap(container))
}

const hasImage = (platform: Platform, image: RegExp): boolean =>
  [...containersOf(platform)].some((container) => image.test(String(container.image ?? '')))

function relistInterval(platform: Platform): number | undefined {
  for (const { image, command = [], args = [] } of containersOf(platform))
    if (/prometheus-adapter/.test(String(image))) {
      const { relistInterval: text } = adapterArguments([...command, ...args].map(String))
      if (text !== undefined) return parsePrometheusDuration(text)
    }
  return undefined
}

const SCRAPE = 'prometheus.io/scrape'

const hasAnnotations = (platform: Platform): boolean =>
  platform.objects.some(
    (object) =>
      (object.manifest.kind === 'Service' && String(object.manifest.metadata.annotations?.[SCRAPE]) === 'true') ||
      podTemplatesOf(object).some(({ annotations }) => String(annotations[SCRAPE]) === 'true'),
  )

/** Those seatrial.yaml names, and those whose presence the manifests show. */
function exportersOf(platform: Platform): Set<ExporterName> {
  const found = new Set<ExporterName>(platform.config?.metrics?.prometheus?.exporters)
  if (hasImage(platform, /dcgm-exporter/)) found.add('dcgm')
  for (const { manifest } of platform.objects) {
    if (manifest.kind === 'ClusterPolicy' && groupOf(manifest.apiVersion) === 'nvidia.com') found.add('dcgm')
    if (manifest.kind === 'ServiceMonitor' && JSON.stringify(manifest).includes('/metrics/cadvisor'))
      found.add('cadvisor')
  }
  return found
}

/** Every name that a query, rule or adapter rule of the platform needs; `all` where one selects by a pattern. */
export function wantedMetrics(platform: Platform): 'all' | ReadonlySet<string> {
  const { prometheus } = describeMonitoring(platform).options
  const all = prometheus.map(({ wanted }) => wanted)
  return all.includes('all') ? 'all' : new Set(all.flatMap((wanted) => [...wanted]))
}
