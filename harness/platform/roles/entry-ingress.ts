import { Ingress, IngressClass } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import {
  type Behaviour,
  controllerOfIngressClass,
  ingressControllers,
} from '../../../sandbox/network/gateway/behaviour.ts'
import { isCanary } from '../../../sandbox/network/gateway/canary.ts'
import { classOf } from '../../../sandbox/network/gateway/entry.ts'
import { ingressRules } from '../../../sandbox/network/gateway/ingress-rules.ts'
import type { NginxSettings } from '../../../sandbox/network/gateway/nginx-annotations.ts'
import { unmodelledRoute } from '../../../sandbox/network/gateway/unmodelled-route.ts'
import { formatDuration } from '../../../sandbox/world/time.ts'
import { namespaceOf, type PlatformObject } from '../platform.ts'
import { firstThatReaches, hostFor, requestsForPath } from './client-requests.ts'
import type { Way, WayContext } from './entry-path.ts'

/** The ways by which Ingresses lead to a server. */
export const ingressWays = (ingresses: readonly PlatformObject[], context: WayContext): Way[] =>
  ingresses.map((object) => wayBy(object, context))

function wayBy(object: PlatformObject, context: WayContext): Way {
  const { objects, platform } = context
  const ingress = objects.get(Ingress, `${namespaceOf(object)}/${object.manifest.metadata.name}`)!
  const refuse = (why: string, path: readonly string[] = []): Way => ({ reasons: [{ object, path, why }] })
  const found = controllerOf(ingress, context)
  const behaviour = found && ingressControllers.get(found.controller)
  if (!found) {
    const name = classOf(ingress)
    return refuse(
      name === undefined
        ? 'it names no class, and which controller takes it is not to be seen'
        : `what the controller of IngressClass ${name} does is not simulated`,
      ['spec', 'ingressClassName'],
    )
  }
  if (!behaviour) return refuse(`what ${found.controller} does is not simulated`, ['spec', 'ingressClassName'])
  const settings = behaviour.name === 'ingress-nginx' ? controllerSettings(context) : {}
  const className = classOf(ingress)
  const sharing = platform.objects.filter((one) => one === object || isCanaryOf(one, ingress, context))
  const unmodelled = sharing.flatMap((one) =>
    unmodelledRoute(one.manifest as never, behaviour).map((part) => ({ object: one, ...part })),
  )
  if (unmodelled.length > 0) return { reasons: unmodelled }
  const rules = ingressRules({ objects, behaviour, settings, owns: (one) => classOf(one) === className })
  const reached = firstThatReaches(askedOf(ingress), rules, context)
  if (!reached) return refuse('no request of the OpenAI API that it describes reaches the server')
  return {
    point: { via: 'ingress', className, controller: found.controller, settings, request: reached.request },
    assumed: [...found.assumed, ...reached.assumed, ...defaultsOf(behaviour, ingress, settings)],
    on: sharing,
  }
}

function askedOf({ spec }: o.Ingress) {
  const paths = (spec.rules ?? []).flatMap(({ host = '', http }) =>
    (http?.paths ?? []).map(({ path = '/' }) => ({ host, path })),
  )
  if (spec.defaultBackend) paths.push({ host: '', path: '/' })
  return paths.flatMap(({ host, path }) => requestsForPath(hostFor(host), path))
}

function isCanaryOf(object: PlatformObject, ingress: o.Ingress, { objects }: WayContext): boolean {
  if (object.manifest.kind !== 'Ingress') return false
  const other = objects.get(Ingress, `${namespaceOf(object)}/${object.manifest.metadata.name}`)
  const hosts = new Set((ingress.spec.rules ?? []).map(({ host }) => host))
  return other !== undefined && isCanary(other) && (other.spec.rules ?? []).some(({ host }) => hosts.has(host))
}

function controllerOf(
  ingress: o.Ingress,
  { objects }: WayContext,
): { controller: string; assumed: string[] } | undefined {
  const name = classOf(ingress)
  const classes = objects.list(IngressClass)
  const isDefault = ({ metadata }: o.IngressClass) =>
    metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true'
  const declared = classes.find((one) => (name === undefined ? isDefault(one) : one.metadata.name === name))
  if (declared) return { controller: declared.spec.controller, assumed: [] }
  const controller = name === undefined ? undefined : controllerOfIngressClass(name)
  if (!controller) return undefined
  const implementation = ingressControllers.get(controller)?.name ?? controller
  return { controller, assumed: [`IngressClass ${name} is that of ${implementation}, by its name`] }
}

/** What the ConfigMap of ingress-nginx says, where the platform carries it. */
function controllerSettings({ platform }: WayContext): NginxSettings {
  const found = platform.objects.find(
    ({ manifest }) =>
      manifest.kind === 'ConfigMap' && /ingress-nginx-controller|nginx-configuration/.test(manifest.metadata.name),
  )
  return (found?.manifest['data'] ?? {}) as NginxSettings
}

function defaultsOf(behaviour: Behaviour, { metadata }: o.Ingress, settings: NginxSettings): string[] {
  const { requestUs, idleUs } = behaviour.timeouts
  const given =
    settings['proxy-read-timeout'] ?? metadata.annotations?.['nginx.ingress.kubernetes.io/proxy-read-timeout']
  if (behaviour.name === 'ingress-nginx' && given !== undefined) return []
  if (requestUs > 0) return [`${behaviour.name} ends a request after ${formatDuration(requestUs)}`]
  return idleUs > 0 ? [`${behaviour.name} ends a request that is silent for ${formatDuration(idleUs)}`] : []
}
