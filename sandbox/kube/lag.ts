import type { RandomStream } from '../world/random.ts'
import type { Us } from '../world/time.ts'
import { measured } from './profiles/measured.ts'

/** A distribution by its quantiles: pairs of (probability, microseconds), rising, from 0 to 1. Sampled by linear interpolation. */
export type Quantiles = readonly (readonly [probability: number, us: Us])[]

/** How far behind, how slow and how limited the processes of a control plane are. */
export interface LagProfile {
  readonly name: string
  /** From a write's commit to the moment an informer's handler has it. */
  readonly watchDelay: Quantiles
  /** From sending a request to having its answer, without waiting for a token. */
  readonly requestLatency: { readonly read: Quantiles; readonly write: Quantiles }
  /** Client-side rate limits of each client of a process; the part of the name before `/` decides. */
  readonly clients: Readonly<Record<string, { readonly qps: number; readonly burst: number }>>
}

/** No delay and no limit: for unit tests, and to show which findings exist only because of lag. */
export const instant: LagProfile = {
  name: 'instant',
  watchDelay: [],
  requestLatency: { read: [], write: [] },
  clients: {},
}

export function sample(quantiles: Quantiles, random: RandomStream): Us {
  if (quantiles.length === 0) return 0
  const p = random.next()
  let [below, at] = [0, quantiles.length - 1]
  if (at === 0 || p > quantiles[at]![0]) return quantiles[at]![1]
  while (at - below > 1) {
    const middle = (below + at) >> 1
    if (p <= quantiles[middle]![0]) at = middle
    else below = middle
  }
  const high = quantiles[at]!
  const low = quantiles[at - 1]!
  return Math.round(low[1] + ((p - low[0]) / (high[0] - low[0])) * (high[1] - low[1]))
}

/**
 * client-go's token bucket over virtual time. Follows k8s.io/client-go/util/flowcontrol/throttle.go.
 * A client asks when it may send; asking takes a token.
 */
export class TokenBucket {
  private readonly perTokenUs: number
  private readonly burst: number
  private tokens: number
  private at: Us = 0

  constructor(limit: { qps: number; burst: number }) {
    this.perTokenUs = 1e6 / limit.qps
    this.burst = limit.burst
    this.tokens = limit.burst
  }

  /** The time at which the next request may be sent, `now` or later. */
  take(now: Us): Us {
    this.refill(now)
    this.tokens -= 1
    return this.tokens >= 0 ? now : now + Math.ceil(-this.tokens * this.perTokenUs)
  }

  /** Takes a token if there is one now. */
  tryTake(now: Us): boolean {
    this.refill(now)
    if (this.tokens < 1) return false
    this.tokens -= 1
    return true
  }

  private refill(now: Us): void {
    this.tokens = Math.min(this.burst, this.tokens + (now - this.at) / this.perTokenUs)
    this.at = now
  }
}

/**
 * A control plane on one machine with upstream's default client limits. Delays are measured ones: see `profiles/measured.ts`.
 * A process that is not named here is not limited.
 */
export const defaultProfile: LagProfile = {
  name: 'default',
  ...measured,
  clients: {
    // each controller has a client of its own: pkg/controller/apis/config/v1alpha1/defaults.go
    'kube-controller-manager': { qps: 20, burst: 30 },
    // pkg/scheduler/apis/config/v1/defaults.go
    'kube-scheduler': { qps: 50, burst: 100 },
    // pkg/kubelet/apis/config/v1beta1/defaults.go
    kubelet: { qps: 50, burst: 100 },
    // pkg/proxy/apis/config/v1alpha1/defaults.go
    'kube-proxy': { qps: 5, burst: 10 },
    // cmd/operator/main.go of KEDA
    'keda-operator': { qps: 20, burst: 30 },
  },
}

const RAISED = { qps: 1000, burst: 2000 }

/** The same with the limits of controller manager and scheduler out of the way (`--kube-api-qps=1000 --kube-api-burst=2000`). */
export const raisedQps: LagProfile = {
  ...defaultProfile,
  name: 'raised-qps',
  clients: { ...defaultProfile.clients, 'kube-controller-manager': RAISED, 'kube-scheduler': RAISED },
}

/** The profiles a user can choose by name, the usual one first. */
export const lagProfiles: readonly LagProfile[] = [defaultProfile, raisedQps, instant]
