import { seconds } from '../../world/time.ts'
import type { Behaviour } from './behaviour.ts'
import type { RetryPolicy, Timeouts } from './rule.ts'

export const NGINX_PREFIX = 'nginx.ingress.kubernetes.io/'

/** Settings by their names as annotations without the prefix, which are also the keys of the controller's ConfigMap. */
export type NginxSettings = Readonly<Record<string, string>>

/** The annotations of an Ingress that speak to ingress-nginx. */
export const nginxAnnotations = (annotations: Readonly<Record<string, string>> = {}): NginxSettings =>
  Object.fromEntries(
    Object.entries(annotations).flatMap(([name, value]) =>
      name.startsWith(NGINX_PREFIX) ? [[name.slice(NGINX_PREFIX.length), value]] : [],
    ),
  )

/** Annotations that are acted upon, and those that change nothing for a request that is let through. */
export const NGINX_KNOWN: ReadonlySet<string> = new Set([
  ...['proxy-read-timeout', 'proxy-send-timeout', 'proxy-connect-timeout', 'proxy-body-size', 'proxy-buffering'],
  ...['proxy-next-upstream', 'proxy-next-upstream-tries', 'proxy-next-upstream-timeout'],
  ...['rewrite-target', 'use-regex', 'load-balance', 'service-upstream', 'backend-protocol'],
  ...['canary', 'canary-weight', 'canary-weight-total'],
  ...['canary-by-header', 'canary-by-header-value', 'canary-by-header-pattern', 'canary-by-cookie'],
  ...['ssl-redirect', 'force-ssl-redirect', 'preserve-trailing-slash', 'ssl-ciphers', 'ssl-prefer-server-ciphers'],
  ...['enable-cors', 'cors-allow-origin', 'cors-allow-methods', 'cors-allow-headers', 'cors-allow-credentials'],
  ...['cors-expose-headers', 'cors-max-age', 'enable-access-log', 'enable-rewrite-log', 'x-forwarded-prefix'],
  ...['proxy-request-buffering', 'proxy-http-version', 'proxy-buffer-size', 'proxy-buffers-number'],
  ...['proxy-max-temp-file-size', 'client-body-buffer-size', 'upstream-vhost', 'connection-proxy-header', 'app-root'],
  ...['enable-opentelemetry', 'opentelemetry-trust-incoming-span', 'http2-push-preload', 'custom-headers'],
])

/** Values of known annotations that ask for more than the proxy here does, each with why. */
export function unmodelledNginx(settings: NginxSettings): { name: string; why: string }[] {
  const found: { name: string; why: string }[] = []
  for (const [name, value] of Object.entries(settings)) {
    if (!NGINX_KNOWN.has(name)) found.push({ name, why: 'it may change who answers, or whether anyone does' })
    else if (name === 'proxy-buffering' && value === 'on')
      found.push({ name, why: 'answers are held back until a buffer is full, so first tokens come late' })
    else if (name === 'load-balance' && value !== 'round_robin')
      found.push({ name, why: `${value} is not simulated, round_robin is` })
    else if (name === 'service-upstream' && value === 'true')
      found.push({ name, why: 'connections go through kube-proxy and are kept open' })
    else if (name === 'backend-protocol' && !['HTTP', 'AUTO_HTTP'].includes(value))
      found.push({ name, why: `the server is spoken to as ${value}` })
  }
  return found
}

/** Seconds, or the fallback where it is not a whole number: as the controller takes them. */
const wholeNumber = (text: string | undefined, fallback: number): number =>
  text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : fallback

export function nginxTimeouts(settings: NginxSettings, { timeouts }: Behaviour): Timeouts {
  const second = 1e6
  return {
    ...timeouts,
    idleUs: seconds(wholeNumber(settings['proxy-read-timeout'], timeouts.idleUs / second)),
    connectUs: seconds(wholeNumber(settings['proxy-connect-timeout'], timeouts.connectUs / second)),
  }
}

const UNLIMITED_TRIES = 1000

/**
 * `proxy_next_upstream`: `error timeout`, three tries. A POST that has reached a server is not sent to another one unless
 * `non_idempotent` is said. Follows buildNextUpstream of internal/ingress/controller/template/template.go.
 */
export function nginxRetry(settings: NginxSettings): RetryPolicy | undefined {
  const words = new Set((settings['proxy-next-upstream'] ?? 'error timeout').split(/\s+/))
  const again = words.has('non_idempotent')
  const tries = wholeNumber(settings['proxy-next-upstream-tries'], 3)
  if (words.has('off') || tries === 1) return undefined
  const codes = [...words].flatMap((word) => (word.startsWith('http_') ? [Number(word.slice(5))] : []))
  return {
    retries: tries === 0 ? UNLIMITED_TRIES : tries - 1,
    connectFailure: words.has('error'),
    reset: again && (words.has('error') || words.has('timeout')),
    codes: new Set(again ? codes : []),
    baseUs: 0,
    maxUs: 0,
    withinUs: seconds(wholeNumber(settings['proxy-next-upstream-timeout'], 0)),
  }
}

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

/** `client_max_body_size`: 1m where nothing is said, 0 for no limit. */
export function nginxBodyBytes(settings: NginxSettings): number {
  const [, number = '1', unit = 'm'] = /^(\d+)([kmg]?)$/i.exec(settings['proxy-body-size']?.trim() ?? '1m') ?? []
  return Number(number) * SIZES[unit.toLowerCase()]!
}
