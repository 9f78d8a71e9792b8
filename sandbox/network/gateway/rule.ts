import type { Us } from '../../world/time.ts'
import type { HttpRequest } from './http-request.ts'

/** What a proxy does with the requests of one route rule. Made from objects of any API; a proxy knows no others. */
export interface ProxyRule {
  /** Where it stands: `HTTPRoute default/chat spec.rules[0]`. */
  readonly from: string
  readonly backends: readonly WeightedBackend[]
  /** The request as it goes on to a backend. */
  readonly rewrite?: (request: HttpRequest) => HttpRequest
  readonly mirrors: readonly { readonly service: ServiceTarget; readonly share: number }[]
  /** Chooses before weights do; undefined: it leaves the choice to them. */
  readonly choose?: (request: HttpRequest, random: () => number) => WeightedBackend | undefined
  readonly timeouts: Timeouts
  readonly balancing: Balancing
  readonly retry: RetryPolicy | undefined
  /** Bodies above this are answered 413; 0: any are taken. */
  readonly bodyBytesMax: number
}

/** How an endpoint is chosen. */
export interface Balancing {
  readonly balancer: 'least-request' | 'round-robin' | 'random'
  /** Below this share of healthy endpoints, in percent, all are used. Envoy's panic threshold; 0: never. */
  readonly panicPercent: number
}

export interface ServiceTarget {
  /** `namespace/name`. */
  readonly key: string
  readonly port: number
}

export interface WeightedBackend {
  readonly weight: number
  /** Undefined: the reference is invalid, and its share of requests is answered 500. */
  readonly service: ServiceTarget | undefined
  /** Why it is invalid. */
  readonly invalid?: string
  readonly rewrite?: (request: HttpRequest) => HttpRequest
}

/** Zero: none. */
export interface Timeouts {
  /** From the request to the last byte of the answer, over all tries. */
  readonly requestUs: Us
  /** From a try to the last byte of its answer. */
  readonly perTryUs: Us
  /** Between two bytes. */
  readonly idleUs: Us
  readonly connectUs: Us
}

/** When a try is followed by another. Nothing is tried again once the head of an answer has gone to the client. */
export interface RetryPolicy {
  /** Tries after the first. */
  readonly retries: number
  /** A connection that cannot be made. */
  readonly connectFailure: boolean
  /** A connection that breaks, and a try that takes too long, before there is an answer. */
  readonly reset: boolean
  readonly codes: ReadonlySet<number>
  /** Before the nth retry: a random time below `baseUs` doubled n - 1 times, `maxUs` at most. */
  readonly baseUs: Us
  readonly maxUs: Us
  /** No retry begins later than this after the request; 0: any may. */
  readonly withinUs: Us
}

/** Finds the rule for a request: undefined is a 404. */
export type MatchRule = (request: HttpRequest) => ProxyRule | undefined

/** Draws by weight. With no weight at all there is nobody: undefined, which is a 500. */
export function drawBackend(backends: readonly WeightedBackend[], random: () => number): WeightedBackend | undefined {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return undefined
  let left = Math.floor(random() * total)
  for (const backend of backends) {
    left -= backend.weight
    if (left < 0) return backend
  }
  return undefined
}
