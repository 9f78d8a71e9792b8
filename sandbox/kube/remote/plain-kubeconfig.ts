import type { Credentials } from './http2-transport.ts'

interface Named {
  readonly name?: string
  readonly [part: string]: unknown
}

/** What stands in a kubeconfig whose credentials are written into it. */
export interface PlainAccess extends Credentials {
  /** `https://host:port`. */
  readonly server: string
}

/**
 * Reads a kubeconfig in JSON that names a server, its certificate authority and a token or client certificate, as those we write do.
 * Undefined for all others (programs to ask, proxies, files, plain HTTP, YAML): these are for the Kubernetes client, which takes 60 MB
 * and half a second to load.
 */
export function plainAccess(text: string, context?: string): PlainAccess | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  const config = JSON.parse(text) as { readonly [part: string]: readonly Named[] } & { 'current-context'?: string }
  const named = (part: string, key: string, name: unknown): Record<string, unknown> =>
    (config[part]?.find((one) => one.name === name)?.[key] ?? {}) as Record<string, unknown>
  const { cluster: clusterName, user: userName } = named('contexts', 'context', context ?? config['current-context'])
  const { server, ...cluster } = named('clusters', 'cluster', clusterName)
  const user = named('users', 'user', userName)
  if (typeof server !== 'string' || !server.startsWith('https:')) return undefined
  if (!onlyTexts(cluster, CLUSTER) || !onlyTexts(user, USER)) return undefined
  const ca = decoded(cluster['certificate-authority-data'])
  const cert = decoded(user['client-certificate-data'])
  const key = decoded(user['client-key-data'])
  return {
    server: server.replace(/\/$/, ''),
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    headers: user['token'] === undefined ? {} : { authorization: `Bearer ${String(user['token'])}` },
  }
}

const CLUSTER: ReadonlySet<string> = new Set(['certificate-authority-data'])
const USER: ReadonlySet<string> = new Set(['token', 'client-certificate-data', 'client-key-data'])

const onlyTexts = (given: Record<string, unknown>, known: ReadonlySet<string>): boolean =>
  Object.entries(given).every(([name, value]) => known.has(name) && typeof value === 'string')

const decoded = (text: unknown): Buffer | undefined =>
  typeof text === 'string' ? Buffer.from(text, 'base64') : undefined
