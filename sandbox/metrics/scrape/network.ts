import { EndpointSlice, Service } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { PodNetwork } from '../../network/pod-network.ts'
import { ms, type Us } from '../../world/time.ts'
import type { MetricFamily } from '../sample.ts'

export interface ScrapeRequest {
  /** `10.128.0.5:8000` or `name.namespace.svc:8080`. */
  readonly address: string
  readonly path: string
  readonly scheme: 'http' | 'https'
  /** Only these names are needed; undefined: all. */
  readonly wanted: ReadonlySet<string> | undefined
}

/** What a scrape comes to: metrics after a while, an error after a while, or nothing until it is given up. */
export type ScrapeAnswer =
  | { readonly kind: 'families'; readonly families: readonly MetricFamily[]; readonly afterUs: Us }
  | { readonly kind: 'error'; readonly message: string; readonly afterUs: Us }
  | { readonly kind: 'hang' }

/** How a Prometheus reaches what it scrapes. */
export interface ScrapeNetwork {
  get(request: ScrapeRequest): ScrapeAnswer
}

/** An exporter that is no pod of the platform: asked by path. Undefined: 404. `'down'`: nothing answers. */
export type Exporter = (path: string, wanted?: ReadonlySet<string>) => readonly MetricFamily[] | undefined | 'down'

/** From one pod to another and back. */
const ROUND_TRIP_US: Us = ms(0.5)
/** An exporter writing out what it has. */
const EXPORTER_US: Us = ms(5)

export interface PodScrapesOptions {
  readonly network: PodNetwork
  /** Prometheus' own client: Services are resolved by it. */
  readonly kube: Kube
  /** By `host:port`. */
  readonly exporters?: (address: string) => Exporter | undefined
  /** A kubelet's endpoints, by its node's name: also reached by way of the API server's proxy. */
  readonly kubelets?: (nodeName: string) => Exporter | undefined
  /** Whether NetworkPolicies let it connect to a pod's port; left out: they do not concern it. */
  readonly admits?: (podKey: string, port: number) => boolean
}

const NODE_PROXY = /^\/api\/v1\/nodes\/([^/]+)\/proxy(\/.*)$/

/** Scrapes over the simulated network: pods by address, Services by name, exporters outside the platform. */
export function podScrapes(options: PodScrapesOptions): ScrapeNetwork {
  const { network, kube, exporters, kubelets, admits } = options
  return {
    get({ address, path, scheme, wanted }) {
      const exporter = exporters?.(address)
      if (exporter) return ask(exporter, path, wanted)
      const proxied = /^kubernetes\.default\.svc(\.|:|$)/.test(address) ? NODE_PROXY.exec(path) : null
      if (proxied) {
        const kubelet = kubelets?.(proxied[1]!)
        return kubelet ? ask(kubelet, proxied[2]!, wanted) : failed('server returned HTTP status 404 Not Found')
      }
      const resolved = resolve(kube, address)
      if (!resolved) return failed(`dial tcp: lookup ${address.replace(/:\d+$/, '')}: no such host`)
      const { ip, port } = resolved
      const connection = network.connect(ip, port)
      if (connection.kind === 'unreachable') return { kind: 'hang' }
      if (connection.kind === 'refused') return failed(`dial tcp ${ip}:${port}: connect: connection refused`)
      const { endpoint } = connection
      // what a policy does not let through is dropped without a word
      if (admits?.(endpoint.podKey, port) === false) return { kind: 'hang' }
      const answer = endpoint.get?.(port, path, scheme === 'https' ? 'HTTPS' : 'HTTP')
      if (!answer || answer.kind === 'hang') return { kind: 'hang' }
      if (answer.kind === 'refused') return failed(`dial tcp ${ip}:${port}: connect: connection refused`)
      if (answer.kind === 'wrong-scheme') return failed('http: server gave HTTP response to HTTPS client')
      const afterUs = ROUND_TRIP_US + answer.afterUs
      if (answer.status !== 200)
        return { kind: 'error', message: `server returned HTTP status ${answer.status}`, afterUs }
      const families = endpoint.exposition?.(port, path.split('?')[0]!, wanted)
      if (!families) return { kind: 'error', message: 'received unsupported Content-Type', afterUs }
      return { kind: 'families', families, afterUs }
    },
  }
}

function ask(exporter: Exporter, path: string, wanted: ReadonlySet<string> | undefined): ScrapeAnswer {
  const families = exporter(path.split('?')[0]!, wanted)
  if (families === 'down') return { kind: 'hang' }
  if (!families) return failed('server returned HTTP status 404 Not Found')
  return { kind: 'families', families, afterUs: ROUND_TRIP_US + EXPORTER_US }
}

const failed = (message: string): ScrapeAnswer => ({ kind: 'error', message, afterUs: ROUND_TRIP_US })

/** An address of a pod, or of one behind a Service: the first that is ready. */
function resolve(kube: Kube, address: string): { ip: string; port: number } | undefined {
  const colon = address.lastIndexOf(':')
  const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))]
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return { ip: host, port }
  const [name, namespace] = host.replace(/\.svc(\.cluster\.local)?\.?$/, '').split('.')
  const key = `${namespace ?? 'default'}/${name}`
  const service = kube.get(Service, key)
  const servicePort = service?.spec.ports?.find((p) => p.port === port)
  if (!service || !servicePort) return undefined
  for (const slice of kube.list(EndpointSlice, { namespace: namespace ?? 'default' })) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue
    const target = slice.ports.find((p) => (p.name ?? '') === (servicePort.name ?? ''))
    const endpoint = slice.endpoints.find((e) => e.conditions.ready !== false)
    if (target?.port && endpoint) return { ip: endpoint.addresses[0]!, port: target.port }
  }
  return undefined
}
