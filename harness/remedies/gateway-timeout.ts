import type { HTTPRouteRule } from '../../sandbox/kube/objects.ts'
import { NGINX_PREFIX, nginxAnnotations } from '../../sandbox/network/gateway/nginx-annotations.ts'
import { type Candidate, type Diagnosis, type RelatedObject, type RemedyContext, remedy } from './remedy.ts'

/** What proxies say of requests they ended themselves: `HTTPRoute prod/chat spec.rules[0]: request timeout of 15s`. */
const ENDED = /\b(HTTPRoute|Ingress) (\S+)\/(\S+) (spec\S*): ((request|try|idle) timeout of (\S+))/

/** A proxy on the way that waits less long than answers take. */
export const gatewayTimeout = remedy({
  causes: ['requests-http', 'requests-reset'],
  diagnose({ broken, related }: RemedyContext): Diagnosis | undefined {
    const found = broken.evidence.map(({ text }) => ENDED.exec(text)).find((match) => match !== null)
    if (!found) return undefined
    const [, kind, namespace, name, at, what, sort] = found as unknown as [string, ...string[]]
    const object = related.routes.find(
      ({ manifest }) =>
        manifest.kind === kind &&
        manifest.metadata.name === name &&
        (manifest.metadata.namespace ?? 'default') === namespace,
    )
    if (!object) return undefined
    return kind === 'HTTPRoute' ? ofRoute(object, at!, { what: what!, sort: sort! }) : ofIngress(object, what!)
  },
})

function ofRoute(object: RelatedObject, at: string, { what, sort }: { what: string; sort: string }): Diagnosis {
  const index = Number(/\[(\d+)\]/.exec(at)?.[1] ?? 0)
  const { rules } = (object.manifest['spec'] ?? {}) as { rules?: HTTPRouteRule[] }
  const given = rules?.[index]?.timeouts
  const path = `${at}.timeouts`
  const own = sort === 'try' ? 'backendRequest' : 'request'
  const isGiven = given?.request !== undefined || given?.backendRequest !== undefined
  const unlimited: Candidate = {
    says: `timeouts: {request: 0s, backendRequest: 0s}, which is no timeout`,
    changes: [{ object: object.id, path, value: { request: '0s', backendRequest: '0s' } }],
  }
  return {
    object: object.id,
    path: isGiven ? `${path}.${given?.[own] === undefined ? 'request' : own}` : path,
    says: `the gateway ends streamed answers too: ${what}${isGiven ? '' : ', its own where a rule has no timeouts'}`,
    candidates: [unlimited],
  }
}

const AN_HOUR = '3600'

function ofIngress(object: RelatedObject, what: string): Diagnosis {
  const annotation = 'proxy-read-timeout'
  const path = `metadata.annotations[${NGINX_PREFIX}${annotation}]`
  const given = nginxAnnotations(object.manifest.metadata.annotations)[annotation]
  return {
    object: object.id,
    path,
    says: `the Ingress controller ends answers that are silent, also before their first token: ${what}${given === undefined ? ', its own where nothing is said' : ''}`,
    candidates: [{ says: `${annotation}: "${AN_HOUR}"`, changes: [{ object: object.id, path, value: AN_HOUR }] }],
  }
}
