import type { Allocator } from './strategy.ts'

/** 10.96.0.0/12 as kubeadm has it, without the addresses of the network, of the API server's own Service and of broadcast. */
const CLUSTER_IP = { base: ipToNumber('10.96.0.0'), size: 2 ** 20 } as const
const KUBERNETES_SERVICE = 1

const NODE_PORT = { first: 30000, last: 32767 } as const
/** Ports left to those who choose their own. Follows pkg/registry/core/service/portallocator, 32 < n/32 = 86 < 128. */
const NODE_PORT_STATIC = 86

/** Service addresses: 10.96.0.0/12 from 10.96.1.0 on, so that hand-picked low ones seldom collide. */
export function clusterIPs(): Allocator<string> {
  const pool = new Pool(1, CLUSTER_IP.size - 2, 256)
  pool.take(KUBERNETES_SERVICE)
  return {
    next: () => mapped(pool.next(), (offset) => numberToIp(CLUSTER_IP.base + offset)),
    take: (ip) => (isIPv4(ip) ? pool.take(ipToNumber(ip) - CLUSTER_IP.base) : 'out of range'),
    release: (ip) => pool.release(ipToNumber(ip) - CLUSTER_IP.base),
  }
}

/** Node ports 30000–32767; those nobody chose come from the upper band first. */
export function nodePorts(): Allocator<number> {
  const pool = new Pool(NODE_PORT.first, NODE_PORT.last, NODE_PORT.first + NODE_PORT_STATIC)
  return {
    next: () => pool.next(),
    take: (port) => pool.take(port),
    release: (port) => pool.release(port),
  }
}

/** Numbers `first` to `last`, handed out upwards from `start` and round. */
class Pool {
  private readonly held = new Set<number>()
  private readonly first: number
  private readonly last: number
  private cursor: number

  constructor(first: number, last: number, start: number) {
    this.first = first
    this.last = last
    this.cursor = start
  }

  next(): number | undefined {
    for (let tried = this.first; tried <= this.last; tried++) {
      const value = this.cursor
      this.cursor = value === this.last ? this.first : value + 1
      if (!this.held.has(value)) {
        this.held.add(value)
        return value
      }
    }
    return undefined
  }

  take(value: number): 'taken' | 'in use' | 'out of range' {
    if (value < this.first || value > this.last) return 'out of range'
    if (this.held.has(value)) return 'in use'
    this.held.add(value)
    return 'taken'
  }

  release(value: number): void {
    this.held.delete(value)
  }
}

const isIPv4 = (text: string): boolean =>
  /^\d+\.\d+\.\d+\.\d+$/.test(text) && text.split('.').every((part) => Number(part) < 256)

function ipToNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

const numberToIp = (n: number): string => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255].join('.')

const mapped = <A, B>(value: A | undefined, map: (value: A) => B): B | undefined =>
  value === undefined ? undefined : map(value)
