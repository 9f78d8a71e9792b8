import type { InferenceObserver } from '../../nodes/program.ts'
import { formatDuration, type Us } from '../../world/time.ts'
import type { Behaviour } from './behaviour.ts'

type Failure = Omit<Parameters<InferenceObserver['failed']>[0], 'at'>

/** Why a proxy ends a request itself. */
export type Ending =
  | { readonly why: 'no-route' | 'no-backend' | 'body-too-large' | 'wrong-path' | 'no-endpoints' }
  | { readonly why: 'invalid-backend'; readonly detail: string }
  | { readonly why: 'connect-failure' | 'upstream-reset' }
  | { readonly why: 'request-timeout' | 'try-timeout' | 'idle-timeout' | 'connect-timeout'; readonly afterUs: Us }

const SERVERS_OWN: ReadonlySet<Ending['why']> = new Set(['connect-failure', 'connect-timeout', 'upstream-reset'])

const STATUS: Readonly<Record<Ending['why'], { readonly envoy: number; readonly nginx: number }>> = {
  'no-route': { envoy: 404, nginx: 404 },
  'wrong-path': { envoy: 404, nginx: 404 },
  'no-backend': { envoy: 500, nginx: 503 },
  'invalid-backend': { envoy: 500, nginx: 503 },
  'body-too-large': { envoy: 413, nginx: 413 },
  'no-endpoints': { envoy: 503, nginx: 503 },
  'connect-failure': { envoy: 503, nginx: 502 },
  'upstream-reset': { envoy: 503, nginx: 502 },
  'connect-timeout': { envoy: 503, nginx: 504 },
  'request-timeout': { envoy: 504, nginx: 504 },
  'try-timeout': { envoy: 504, nginx: 504 },
  'idle-timeout': { envoy: 504, nginx: 504 },
}

const ENVOY_WORDS: Readonly<Record<Ending['why'], string>> = {
  'no-route': '',
  'wrong-path': '{"detail":"Not Found"}',
  'no-backend': '',
  'invalid-backend': '',
  'body-too-large': 'Payload Too Large',
  'no-endpoints': 'no healthy upstream',
  'connect-failure':
    'upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused',
  'upstream-reset': 'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
  'connect-timeout': 'upstream connect error or disconnect/reset before headers. reset reason: connection timeout',
  'request-timeout': 'upstream request timeout',
  'try-timeout': 'upstream request timeout',
  'idle-timeout': 'stream timeout',
}

const NGINX_WORDS: Readonly<Record<number, string>> = {
  404: '404 Not Found',
  413: '413 Request Entity Too Large',
  500: '500 Internal Server Error',
  502: '502 Bad Gateway',
  503: '503 Service Temporarily Unavailable',
  504: '504 Gateway Time-out',
}

/**
 * What a client gets when a proxy ends its request: an error status, or, when the head of an answer is already out, a connection that breaks.
 * `from` is where the rule stands.
 */
export function failureOf(
  ending: Ending,
  { behaviour, headSent, from }: { behaviour: Behaviour; headSent: boolean; from: string },
): Failure {
  // a server that breaks off is not the proxy's doing
  const by = SERVERS_OWN.has(ending.why) ? {} : { by: `${from}: ${wordsOf(ending)}` }
  if (headSent) return { kind: 'reset', message: 'connection reset by peer', ...by }
  const envoy = behaviour.proxy === 'envoy'
  const status = STATUS[ending.why][envoy ? 'envoy' : 'nginx']
  return { kind: 'http', status, message: envoy ? ENVOY_WORDS[ending.why] : NGINX_WORDS[status]!, ...by }
}

/** For people. */
function wordsOf(ending: Ending): string {
  if (ending.why === 'invalid-backend') return `invalid backend: ${ending.detail}`
  const words = ending.why.replaceAll('-', ' ')
  return 'afterUs' in ending ? `${words} of ${formatDuration(ending.afterUs)}` : words
}
