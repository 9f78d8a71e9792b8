import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

const NEAR = new BlockList()
for (const [net, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const)
  NEAR.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  NEAR.addSubnet(net, prefix, 'ipv6')

/**
 * Whether all addresses of a host are loopback or private, as those of a sandbox or a laptop's cluster are: a load on anything else may hurt
 * others. A name nobody knows is near: it can only be refused.
 */
export async function isNear(hostname: string): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) return isNearAddress(host)
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  try {
    return (await lookup(host, { all: true })).every(({ address }) => isNearAddress(address))
  } catch {
    return true
  }
}

function isNearAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  return NEAR.check(mapped, isIP(mapped) === 6 ? 'ipv6' : 'ipv4')
}
