import type { Container, PodSpec } from '../../kube/objects.ts'

export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

const ANY = '0.0.0.0'

/** The ports of the node that a pod takes. Follows pkg/scheduler/util/utils.go GetHostPorts. */
export function hostPortsOf(spec: PodSpec): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  return [...sidecars, ...spec.containers].flatMap(({ ports = [] }) =>
    ports.flatMap((p: NonNullable<Container['ports']>[number] & { hostIP?: string }) =>
      p.hostPort ? [{ ip: p.hostIP || ANY, protocol: p.protocol ?? 'TCP', port: p.hostPort }] : [],
    ),
  )
}

/** The ports in use on a node. Follows k8s.io/kube-scheduler/framework/types.go HostPortInfo. */
export class UsedPorts {
  private readonly byAddress = new Map<string, Set<string>>()

  get empty(): boolean {
    return this.byAddress.size === 0
  }

  add({ ip, protocol, port }: HostPort): void {
    const key = `${protocol}/${port}`
    const used = this.byAddress.get(ip)
    if (used) used.add(key)
    else this.byAddress.set(ip, new Set([key]))
  }

  remove({ ip, protocol, port }: HostPort): void {
    const used = this.byAddress.get(ip)
    used?.delete(`${protocol}/${port}`)
    if (used?.size === 0) this.byAddress.delete(ip)
  }

  /** A port taken on all addresses conflicts with the same port on any. */
  conflicts({ ip, protocol, port }: HostPort): boolean {
    const key = `${protocol}/${port}`
    if (ip === ANY) return [...this.byAddress.values()].some((used) => used.has(key))
    return Boolean(this.byAddress.get(ANY)?.has(key) || this.byAddress.get(ip)?.has(key))
  }

  fits(wanted: readonly HostPort[]): boolean {
    return !wanted.some((port) => this.conflicts(port))
  }

  clone(): UsedPorts {
    const copy = new UsedPorts()
    for (const [ip, used] of this.byAddress) copy.byAddress.set(ip, new Set(used))
    return copy
  }
}
