import { NetworkPolicy } from '../../../sandbox/kube/kinds.ts'
import type { EntryPoint } from '../../../sandbox/network/gateway/entry.ts'
import { confines, isolates, opensTo, type Peer, type Verdict } from '../../../sandbox/network/network-policy.ts'
import { type Platform, type PlatformObject, sourceOf } from '../platform.ts'
import type { Signal } from './autoscaling/scaling.ts'
import type { InferenceServerRole } from './inference-servers.ts'
import { manifestReader } from './manifest-reader.ts'
import { adapterPeer, type KnownPeer, kedaPeer, prometheusPeer } from './network-peers.ts'
import { judgeOf, networkReachOf, objectsOf } from './network-reach.ts'

/** Something NetworkPolicies decide that the simulation does not show. */
export interface NetworkSaid {
  readonly object: PlatformObject
  readonly what: string
  readonly fix: string
}

interface Asked {
  readonly point: EntryPoint | undefined
  /** The server's own port. */
  readonly port: number
  /** The model is fetched from a hub when the server starts. */
  readonly fetches: boolean
  /** What its autoscaler looks at; undefined without one. */
  readonly signals: readonly Signal[] | undefined
  /** Whether requests are sent. */
  readonly load: boolean
}

const BY_WHOM = 'asks who connects, and the manifests do not tell'

/**
 * What NetworkPolicies do on the ways to and from a server that is not simulated, or cannot be known. A gateway and a Prometheus that
 * are known to be stopped are stopped in the simulation, too: nothing is said of them here.
 */
export function networkSaid<R>(platform: Platform, server: InferenceServerRole<R>, asked: Asked): NetworkSaid[] {
  const { point, port, signals = [], load } = asked
  const { clients, scrapes, policies, confining } = networkReachOf(platform, server, { point, port })
  const said: NetworkSaid[] = []
  const add = (objects: readonly PlatformObject[], what: string, fix: string) => {
    if (objects[0]) said.push({ object: objects[0], what, fix })
  }
  if (load && clients === 'denied' && (!point || point.via === 'service'))
    add(policies, `lets no client connect to port ${port} of its pods`, `Allow ingress to port ${port}.`)
  if (load && clients === 'unknown' && point && point.via !== 'service')
    add(policies, `${BY_WHOM} of the gateway`, 'Bring the manifests of the gateway, too.')
  if (measured(signals) && scrapes === 'unknown')
    add(policies, `${BY_WHOM} of Prometheus, which the autoscaler rests on`, 'Bring the manifests of Prometheus, too.')
  if (asked.fetches && confining.length > 0 && !opensTo(policiesIn(platform, confining), HTTPS))
    add(
      confining,
      `lets its pods connect to no address outside at port ${HTTPS}: whether they can fetch the model is not simulated`,
      'Allow egress to port 443, or bring the model in a volume.',
    )
  return [...said, ...ofPrometheus(platform, signals)]
}

/** What is to be known of policies beside a verdict: clients they may let in or not are taken to be let in, and whom the simulation stops. */
export function networkNotes<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  { point, port, signals = [] }: Pick<Asked, 'point' | 'port' | 'signals'>,
): string[] {
  const { clients, scrapes, policies } = networkReachOf(platform, server, { point, port })
  const names = policies.map(({ id }) => id).join(', ')
  const gateway = point && point.via !== 'service'
  return [
    ...(clients === 'unknown' && !gateway ? [`clients are among those ${names} lets in`] : []),
    ...(clients === 'denied' && gateway ? [`${names} does not let the gateway connect to port ${port}`] : []),
    ...(scrapes === 'denied' && measured(signals) ? [`${names} does not let Prometheus scrape port ${port}`] : []),
  ]
}

const HTTPS = 443
/** Where Prometheus listens. */
const PROMETHEUS = 9090

/** An autoscaler asks Prometheus over the network, too. */
function ofPrometheus(platform: Platform, signals: readonly Signal[]): NetworkSaid[] {
  const prometheus = prometheusPeer(platform)
  if (!prometheus) return []
  const all = manifestReader(platform).list(NetworkPolicy)
  const judge = judgeOf(platform)
  const ask = (who: string, peer: KnownPeer | undefined): NetworkSaid[] => {
    const verdict: Verdict = judge(peer ?? ({} satisfies Peer), { ...prometheus, ports: [] }, PROMETHEUS)
    if (verdict === 'allowed') return []
    const [object] = objectsOf(
      platform,
      all.filter((policy) => isolates(policy, { ...prometheus, ports: [] }) || (peer && confines(policy, peer))),
    )
    const what =
      verdict === 'denied' ? `does not let ${who} ask Prometheus` : `${BY_WHOM} of ${who}, which asks Prometheus`
    return object ? [{ object, what, fix: `Allow ${who} to connect to port ${PROMETHEUS} of Prometheus.` }] : []
  }
  return [
    ...(signals.some(({ kind }) => kind === 'prometheus') ? ask('KEDA', kedaPeer(platform)) : []),
    ...(signals.some(({ kind }) => ADAPTED.has(kind)) ? ask('prometheus-adapter', adapterPeer(platform)) : []),
  ]
}

const ADAPTED: ReadonlySet<string> = new Set(['pods', 'object', 'external'])

/** Whether some signal comes from Prometheus. */
const measured = (signals: readonly Signal[]): boolean =>
  signals.some(({ kind }) => kind === 'prometheus' || ADAPTED.has(kind))

const policiesIn = (platform: Platform, objects: readonly PlatformObject[]) => {
  const all = manifestReader(platform).list(NetworkPolicy)
  return all.filter((policy) => objectsOf(platform, [policy]).some((one) => objects.includes(one)))
}

/** `NetworkPolicy/p (deploy.yaml:3:1) lets no client …`. */
export function networkText({ object, what }: NetworkSaid): string {
  const { file, line, column } = sourceOf(object, 'kind')
  return `${object.id} (${file}:${line}:${column}) ${what}`
}
