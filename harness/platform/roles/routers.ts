import { parseImage } from '../../../sandbox/vllm/flags/image.ts'
import { namespaceOf, type Platform, type PlatformObject, sourceOf } from '../platform.ts'
import { type InferenceServerRole, selectsPods } from './inference-servers.ts'
import { podTemplatesOf } from './pod-templates.ts'
import { type GivenText, textsOf } from './texts.ts'

/** A workload that sends requests to a server, and the text by which it knows it. */
export interface Sender {
  readonly object: PlatformObject
  /** `router`: others send theirs through it. */
  readonly role: 'router' | 'client'
  readonly by: GivenText
  /** What it names: `Service chat`, or `the pods' labels`. */
  readonly names: string
  /** Services by which it is reached itself. */
  readonly services: readonly PlatformObject[]
}

/** Workloads whose arguments, variables or ConfigMaps name a server's Service by its host, or select its pods by their labels. */
export function sendersTo<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  isServer: (object: PlatformObject) => boolean,
): Sender[] {
  return platform.objects.flatMap((object) => {
    if (object === server.object || isServer(object) || !LASTING.has(object.manifest.kind)) return []
    if (podTemplatesOf(object).length === 0 || WATCHING.test(imagesOf(object))) return []
    for (const by of textsOf(platform, object)) {
      const names = namedBy(by, object, server)
      if (names === undefined) continue
      const services = platform.objects.filter(
        (one) =>
          one.manifest.kind === 'Service' &&
          namespaceOf(one) === namespaceOf(object) &&
          podTemplatesOf(object).some((template) => selectsPods(one, 'spec.selector', template)),
      )
      return [{ object, role: isRouter(object) ? 'router' : 'client', by, names, services }]
    }
    return []
  })
}

/**
 * One line for each router and client of a server among the manifests: none is simulated. `gateway bypassed: requests go straight to Service
 * chat; router Deployment/proxy (proxy.yaml:12:9: it names Service chat) is not simulated`.
 */
export function senderNotes<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  isServer: (object: PlatformObject) => boolean,
): string[] {
  const service = server.services[0]
  const straight = service ? `Service ${service.manifest.metadata.name}` : 'the pods'
  const told = sendersTo(platform, server, isServer).map(({ object, role, by, names, services }) => {
    const { file, line, column } = sourceOf(by.object, by.path)
    const at = `(${file}:${line}:${column}: it names ${names})`
    if (role === 'client') return `${object.id} ${at} is taken for a client; what it asks is part of the load given`
    const reached = services.map((one) => one.manifest.metadata.name).join(', ')
    const lost = reached === '' ? '' : `, nor what clients of its Service ${reached} would notice`
    return `gateway bypassed: requests go straight to ${straight}; router ${object.id} ${at} is not simulated${lost}`
  })
  return [...told, ...labelNotes(server)]
}

/** Pods that carry AIBrix's label are found by its gateway, which is installed elsewhere. */
function labelNotes<R>({ object, template, services }: InferenceServerRole<R>): string[] {
  if (template.labels[AIBRIX] === undefined) return []
  const at = sourceOf(object, [...template.path.slice(0, -1), 'metadata', 'labels', AIBRIX])
  const straight = services[0] ? `Service ${services[0].manifest.metadata.name}` : 'the pods'
  return [
    `gateway bypassed: requests go straight to ${straight}; AIBrix's gateway, which finds the pods by their label ${AIBRIX} (${at.file}:${at.line}:${at.column}), is not simulated`,
  ]
}

const AIBRIX = 'model.aibrix.ai/name'

const LASTING = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'])

const imagesOf = (object: PlatformObject): string =>
  podTemplatesOf(object)
    .flatMap(({ spec }) => spec.containers.map(({ image }) => parseImage(image ?? '').repository))
    .join(' ')

/** They read metrics, and ask for no completions. */
const WATCHING = /prometheus|grafana|otel|opentelemetry|exporter|keda|metrics|fluent|vector|datadog/

const ROUTING =
  /router|routing|gateway|proxy|litellm|envoy|nginx|haproxy|traefik|kong|apisix|caddy|balancer|ingress|(^|[-/])(lb|epp)\b/

function isRouter(object: PlatformObject): boolean {
  const names = podTemplatesOf(object).flatMap(({ spec }) => spec.containers.map(({ name }) => name))
  return ROUTING.test([object.manifest.metadata.name, imagesOf(object), ...names].join(' '))
}

function namedBy<R>(by: GivenText, object: PlatformObject, server: InferenceServerRole<R>): string | undefined {
  for (const service of server.services) {
    const { name } = service.manifest.metadata
    if (namesHost(by.text, name, namespaceOf(service), namespaceOf(object))) return `Service ${name}`
  }
  return selectsServer(by, object, server) ? 'its pods by their labels' : undefined
}

/** Whether a text names a Service as the host of an address: `http://chat:8000`, `chat.llm.svc`, nginx's `server chat;`. */
function namesHost(text: string, name: string, namespace: string, from: string): boolean {
  if (!text.includes(name)) return false
  const literal = (word: string) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const long = `\\.${literal(namespace)}(\\.svc(\\.[a-z0-9-]+)*)?`
  const host = new RegExp(`(^|[^\\w.-])${literal(name)}(?<long>${long})?(?<port>:\\d+)?(?![\\w-]|\\.\\w)`, 'g')
  for (const match of text.matchAll(host)) {
    const { long, port } = match.groups as { long?: string; port?: string }
    if (long) return true
    const before = text.slice(0, match.index + match[1]!.length)
    if (from === namespace && (port || /(:\/\/|@|\b(server|address|host(name)?):?\s+["']?)$/.test(before))) return true
  }
  return false
}

/** Whether a text is a selector of labels the server's pods have, in a namespace they are in. */
function selectsServer<R>(
  { text, name = '' }: GivenText,
  object: PlatformObject,
  server: InferenceServerRole<R>,
): boolean {
  if (!/selector/i.test(name)) return false
  const wanted = text.split(',').map((part) => part.trim().split(/==?/))
  if (!wanted.every((pair) => pair.length === 2 && pair[0] !== '')) return false
  const namespace = ownNamespace(object) ?? namespaceOf(object)
  return (
    namespace === namespaceOf(server.object) && wanted.every(([key, value]) => server.template.labels[key!] === value)
  )
}

/** The namespace a router is told to look into. */
function ownNamespace(object: PlatformObject): string | undefined {
  for (const { spec } of podTemplatesOf(object))
    for (const { args = [] } of spec.containers) {
      const at = args.findIndex((word) => /^--(k8s-)?namespace(=|$)/.test(word))
      if (at >= 0) return args[at]!.includes('=') ? args[at]!.slice(args[at]!.indexOf('=') + 1) : args[at + 1]
    }
  return undefined
}
