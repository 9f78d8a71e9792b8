import type { PodEndpoint, PodNetwork } from '../network/pod-network.ts'

/** Hands out the addresses of a node's podCIDR one after the other, as the host-local IPAM plugin does. */
export class PodAddresses {
  private readonly base: number
  private readonly size: number
  private readonly used = new Set<number>()
  private last = 1

  /** `cidr` like `10.244.3.0/24`. Throws a RangeError on anything else. */
  constructor(cidr: string) {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr)
    if (!match) throw new RangeError(`not an IPv4 range: "${cidr}" (write it like 10.244.0.0/24)`)
    const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number]
    this.base = ((a * 256 + b) * 256 + c) * 256 + d
    this.size = 2 ** (32 - bits)
  }

  /** Undefined when all are taken. */
  take(): string | undefined {
    for (let tried = 0; tried < this.size; tried++) {
      this.last = this.last + 1 >= this.size - 1 ? 2 : this.last + 1
      if (this.used.has(this.last)) continue
      this.used.add(this.last)
      const n = this.base + this.last
      return `${Math.floor(n / 2 ** 24)}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
    }
    return undefined
  }

  release(ip: string): void {
    const [a, b, c, d] = ip.split('.').map(Number) as [number, number, number, number]
    this.used.delete(((a * 256 + b) * 256 + c) * 256 + d - this.base)
  }
}

/** The pods of a node that use its own address: one endpoint of the network for all of them. */
export class HostEndpoints {
  private readonly nodeIP: string
  private readonly network: PodNetwork
  private pods: PodEndpoint[] = []

  constructor(nodeIP: string, network: PodNetwork) {
    this.nodeIP = nodeIP
    this.network = network
  }

  add(endpoint: PodEndpoint): void {
    this.pods.push(endpoint)
    this.publish()
  }

  remove(endpoint: PodEndpoint): void {
    this.pods = this.pods.filter((p) => p !== endpoint)
    this.publish()
  }

  private publish(): void {
    const { pods } = this
    const [first] = pods
    if (!first) {
      this.network.unregister(this.nodeIP)
      return
    }
    this.network.register(this.nodeIP, {
      podKey: first.podKey,
      ...(first.nodeName === undefined ? {} : { nodeName: first.nodeName }),
      accepts: (port) => pods.some((p) => p.accepts(port)),
      get: (port, path, scheme) => pods.find((p) => p.accepts(port))?.get?.(port, path, scheme) ?? { kind: 'refused' },
      exposition: (port, path, wanted) => pods.find((p) => p.accepts(port))?.exposition?.(port, path, wanted),
      get inference() {
        return pods.find((p) => p.inference)?.inference
      },
    } as PodEndpoint)
  }
}
