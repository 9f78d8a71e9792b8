import { invalid } from '../../kube/errors.ts'
import { Service } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import type { StrategyContext } from '../strategy.ts'
import { invalidValue } from '../validation/field.ts'
import { fill, fillZero } from './fill.ts'

export type ServiceSpec = o.Service['spec'] & {
  ipFamilies?: string[]
  ipFamilyPolicy?: string
  sessionAffinityConfig?: object
  allocateLoadBalancerNodePorts?: boolean
}

export const takesNodePorts = ({ type }: o.Service['spec']): boolean => type === 'NodePort' || type === 'LoadBalancer'

/**
 * Cluster address and node ports for what has none. One protocol's port of a number
 * another protocol of the same service has is shared. Throws Invalid when a wish is taken.
 * Follows pkg/registry/core/service/storage/alloc.go.
 */
export function allocate(service: o.Service, before: o.Service | undefined, context: StrategyContext): o.Service {
  let spec: ServiceSpec = service.spec
  if (spec.type === 'ExternalName') return service
  const headless = spec.clusterIP === 'None'
  const dual = headless && Object.keys(spec.selector ?? {}).length === 0
  spec = fill(spec, {
    ipFamilyPolicy: dual ? 'RequireDualStack' : 'SingleStack',
    ipFamilies: dual ? ['IPv4', 'IPv6'] : ['IPv4'],
  })
  const clusterIP = headless ? 'None' : addressFor(service, before, context)
  spec = fillZero(spec, { clusterIP, clusterIPs: [clusterIP] })
  if (takesNodePorts(spec) && spec.allocateLoadBalancerNodePorts !== false)
    spec = withNodePorts(spec, service, before, clusterIP, context)
  return spec === service.spec ? service : { ...service, spec }
}

/** Gives back what `service` holds and `kept` does not. */
export function release(service: o.Service, kept: o.Service | undefined, context: StrategyContext): void {
  const { clusterIP } = service.spec
  if (clusterIP && clusterIP !== 'None' && clusterIP !== kept?.spec.clusterIP) context.clusterIPs.release(clusterIP)
  const still = new Set(portsOf(kept))
  for (const port of portsOf(service)) if (!still.has(port)) context.nodePorts.release(port)
}

/**
 * What a replacement that leaves addresses out keeps, and what a change of type drops.
 * Follows pkg/registry/core/service/storage/storage.go patchAllocatedValues and strategy.go dropTypeDependentFields.
 */
export function carriedOver(service: o.Service, before: o.Service): o.Service {
  const was = before.spec as ServiceSpec
  let spec = service.spec as ServiceSpec
  if (was.type !== 'ExternalName' && spec.type !== 'ExternalName') {
    const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = was
    if (!spec.clusterIP && !spec.clusterIPs?.length) spec = fillZero(spec, { clusterIP, clusterIPs })
    spec = fill(spec, { ipFamilies, ipFamilyPolicy })
  }
  if (was.type !== 'ExternalName' && spec.type === 'ExternalName') {
    const {
      clusterIP: _,
      clusterIPs: __,
      ipFamilies: ___,
      ipFamilyPolicy: ____,
      internalTrafficPolicy: _____,
      ...rest
    } = spec
    spec = rest
  }
  if (takesNodePorts(was) && takesNodePorts(spec)) spec = { ...spec, ports: withOldNodePorts(spec.ports, was.ports) }
  if (takesNodePorts(was) && !takesNodePorts(spec)) spec = withoutNodePorts(spec, new Set(portsOf(before)))
  return { ...service, spec }
}

function withoutNodePorts(spec: ServiceSpec, held: ReadonlySet<number>): ServiceSpec {
  const { externalTrafficPolicy: _, allocateLoadBalancerNodePorts: __, ...rest } = spec
  const ports = spec.ports?.map((port) => {
    if (port.nodePort === undefined || !held.has(port.nodePort)) return port
    const { nodePort: ___, ...kept } = port
    return kept
  })
  return { ...rest, ports }
}

/** A port that names no node port keeps the one it had. */
const withOldNodePorts = (ports: ServiceSpec['ports'], old: ServiceSpec['ports']): ServiceSpec['ports'] =>
  ports?.map((port) => {
    const same = old?.find((item) => item.port === port.port && item.protocol === port.protocol)
    return port.nodePort || !same?.nodePort ? port : { ...port, nodePort: same.nodePort }
  })

const portsOf = (service: o.Service | undefined): number[] =>
  (service?.spec.ports ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []))

function addressFor(service: o.Service, before: o.Service | undefined, context: StrategyContext): string {
  const { clusterIP } = service.spec
  if (!clusterIP) {
    const free = context.clusterIPs.next()
    if (free === undefined) throw refused(service, 'spec.clusterIPs', [''], 'failed to allocate IP: range is full')
    return free
  }
  if (clusterIP === before?.spec.clusterIP) return clusterIP
  const taken = context.clusterIPs.take(clusterIP)
  if (taken === 'taken') return clusterIP
  const why =
    taken === 'in use'
      ? 'provided IP is already allocated'
      : 'the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12'
  throw refused(service, 'spec.clusterIPs', [clusterIP], `failed to allocate IP ${clusterIP}: ${why}`)
}

function withNodePorts(
  spec: ServiceSpec,
  service: o.Service,
  before: o.Service | undefined,
  clusterIP: string,
  context: StrategyContext,
): ServiceSpec {
  const held = new Set(portsOf(before))
  const mine: number[] = []
  const giveUp = (path: string, value: number, why: string) => {
    for (const port of mine) context.nodePorts.release(port)
    if (clusterIP !== 'None' && clusterIP !== before?.spec.clusterIP) context.clusterIPs.release(clusterIP)
    return refused(service, path, value, why)
  }
  const ports = spec.ports?.map((port, i) => {
    const path = `spec.ports[${i}].nodePort`
    const { nodePort } = port
    if (nodePort && (held.has(nodePort) || mine.includes(nodePort))) return port
    if (nodePort) {
      const taken = context.nodePorts.take(nodePort)
      if (taken === 'in use') throw giveUp(path, nodePort, 'provided port is already allocated')
      if (taken === 'out of range')
        throw giveUp(path, nodePort, 'provided port is not in the valid range. The range of valid ports is 30000-32767')
      mine.push(nodePort)
      return port
    }
    const free = context.nodePorts.next()
    if (free === undefined) throw giveUp(path, 0, 'failed to allocate a nodePort: range is full')
    mine.push(free)
    return { ...port, nodePort: free }
  })
  return { ...spec, ports }
}

const refused = (service: o.Service, path: string, value: unknown, why: string) =>
  invalid(Service, service.metadata.name, [invalidValue(path, value, why)])
