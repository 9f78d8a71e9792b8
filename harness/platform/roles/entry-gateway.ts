import { Gateway, GatewayClass, HTTPRoute, keyOf } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { attaches, parentsOf, sharedHostnames } from '../../../sandbox/network/gateway/attachment.ts'
import {
  type Behaviour,
  controllerOfClassName,
  gatewayControllers,
} from '../../../sandbox/network/gateway/behaviour.ts'
import { gatewayRules } from '../../../sandbox/network/gateway/gateway-rules.ts'
import { targetsOf } from '../../../sandbox/network/gateway/policies.ts'
import type { ProxyRule } from '../../../sandbox/network/gateway/rule.ts'
import { unmodelledRoute } from '../../../sandbox/network/gateway/unmodelled-route.ts'
import { formatDuration } from '../../../sandbox/world/time.ts'
import { namespaceOf, type PlatformObject } from '../platform.ts'
import { type Asked, firstThatReaches, hostFor, requestsFor } from './client-requests.ts'
import type { Reason, Way, WayContext } from './entry-path.ts'
import { podTemplatesOf } from './pod-templates.ts'

/** The ways by which HTTPRoutes lead to a server: one for each Gateway each is attached to. */
export function gatewayWays(routes: readonly PlatformObject[], context: WayContext): Way[] {
  return routes.flatMap((object) => {
    const route = heldBy(object, context) as o.HTTPRoute
    const gateways = context.objects.list(Gateway).filter((gateway) => parentsOf(route, gateway).length > 0)
    if (gateways.length === 0) {
      const names = (route.spec.parentRefs ?? []).map(({ namespace, name }) =>
        namespace ? `${namespace}/${name}` : name,
      )
      const why = `its Gateway ${names.join(', ') || '(none is named)'} is not among the manifests`
      return [{ reasons: [{ object, path: ['spec', 'parentRefs'], why }] }]
    }
    return gateways.map((gateway) => wayBy(gateway, { object, route }, context))
  })
}

function heldBy(object: PlatformObject, { objects }: WayContext): o.KubeObject {
  return objects.get(HTTPRoute, `${namespaceOf(object)}/${object.manifest.metadata.name}`)!
}

function wayBy(
  gateway: o.Gateway,
  { object, route }: { object: PlatformObject; route: o.HTTPRoute },
  context: WayContext,
): Way {
  const { platform, objects } = context
  const found = controllerOf(gateway, context)
  const behaviour = found && gatewayControllers.get(found.controller)
  const gatewayObject = platform.objects.find((one) => isSame(one, gateway))
  const refuse = (why: string, path: Reason['path'] = []): Way => ({ reasons: [{ object, path, why }] })
  if (!found || !behaviour) {
    const what = found ? `controller ${found.controller}` : `GatewayClass ${gateway.spec.gatewayClassName}`
    return {
      reasons: [
        {
          ...(gatewayObject ? { object: gatewayObject } : {}),
          path: ['spec', 'gatewayClassName'],
          why: `what the ${what} does is not simulated`,
        },
      ],
    }
  }
  const policies = policiesOnTheWay(gateway, route, context)
  const unmodelled = [object, ...policies].flatMap((one) =>
    unmodelledRoute(one.manifest as never, behaviour).map((part) => ({ object: one, ...part })),
  )
  if (unmodelled.length > 0) return { reasons: unmodelled }
  for (const listener of gateway.spec.listeners) {
    if (!attaches(route, listener, { gateway, objects })) continue
    const asked = sharedHostnames(listener.hostname, route.spec.hostnames).flatMap((host) =>
      requestsTo(hostFor(host), route, context),
    )
    const rules = gatewayRules({ gateway, objects, behaviour, port: listener.port })
    const reached = firstThatReaches(asked, rules, context)
    if (!reached) continue
    const { controller } = found
    return {
      point: { via: 'gateway', gateway: keyOf(gateway), port: listener.port, controller, request: reached.request },
      assumed: [...found.assumed, ...reached.assumed, ...defaultsOf(behaviour, reached.rule, route)],
      on: [object, ...(gatewayObject ? [gatewayObject] : []), ...policies],
    }
  }
  return refuse('no request of the OpenAI API that it describes reaches the server through its Gateway')
}

const isSame = (object: PlatformObject, { kind, metadata }: o.KubeObject): boolean =>
  object.manifest.kind === kind &&
  object.manifest.metadata.name === metadata.name &&
  namespaceOf(object) === (metadata.namespace ?? 'default')

function requestsTo(host: string, route: o.HTTPRoute, context: WayContext): Asked[] {
  const bodyBasedRouting = hasBodyBasedRouting(context)
  return (route.spec.rules ?? [{}]).flatMap((rule) =>
    (rule.matches?.length ? rule.matches : [{}]).flatMap((match) =>
      requestsFor(host, match, rule, { bodyBasedRouting }),
    ),
  )
}

/** Whether something reads the model out of bodies and puts it into a header. */
const hasBodyBasedRouting = ({ platform }: WayContext): boolean =>
  platform.objects.some((object) =>
    podTemplatesOf(object).some(({ spec }) =>
      spec.containers.some(({ image }) => /(^|\/)(bbr|body-based-routing)([:@]|$)/.test(image ?? '')),
    ),
  )

function controllerOf(
  { spec }: o.Gateway,
  { objects }: WayContext,
): { controller: string; assumed: string[] } | undefined {
  const declared = objects.get(GatewayClass, spec.gatewayClassName)
  if (declared) return { controller: declared.spec.controllerName, assumed: [] }
  const controller = controllerOfClassName(spec.gatewayClassName)
  const name = controller && gatewayControllers.get(controller)?.name
  return controller
    ? { controller, assumed: [`GatewayClass ${spec.gatewayClassName} is that of ${name}, by its name`] }
    : undefined
}

/** Objects that name the route, its Gateway or one of its Services as their target. */
function policiesOnTheWay(gateway: o.Gateway, route: o.HTTPRoute, { platform }: WayContext): PlatformObject[] {
  const services = (route.spec.rules ?? []).flatMap((rule) => rule.backendRefs ?? []).map(({ name }) => name)
  const isTarget = (kind: unknown, name: unknown): boolean =>
    (kind === 'HTTPRoute' && name === route.metadata.name) ||
    (kind === 'Gateway' && name === gateway.metadata.name) ||
    (kind === 'Service' && services.includes(name as string))
  return platform.objects.filter(({ manifest }) => {
    const spec = manifest['spec']
    if (typeof spec !== 'object' || spec === null || WATCHING.test(manifest.kind)) return false
    return targetsOf(spec as Record<string, unknown>).some((target) => isTarget(target?.['kind'], target?.['name']))
  })
}

/** Policies that decide nothing about a request that is let in. */
const WATCHING = /^(HealthCheckPolicy|ObservabilityPolicy|Telemetry)$/

/** What the implementation does where the rule says nothing. */
function defaultsOf(behaviour: Behaviour, rule: ProxyRule, route: o.HTTPRoute): string[] {
  const index = Number(/spec\.rules\[(\d+)\]$/.exec(rule.from)?.[1] ?? 0)
  const given = route.spec.rules?.[index]?.timeouts
  const { requestUs, idleUs } = rule.timeouts
  const lines: string[] = []
  if (!given?.request && !given?.backendRequest)
    lines.push(
      requestUs > 0
        ? `${behaviour.name} ends a request after ${formatDuration(requestUs)} where a rule has no timeouts`
        : `${behaviour.name} gives a request any time where a rule has no timeouts`,
    )
  if (idleUs > 0) lines.push(`${behaviour.name} ends a request that is silent for ${formatDuration(idleUs)}`)
  return lines
}
