import type { MetricFamily } from '../metrics/sample.ts'
import type { GetAnswer } from '../nodes/pod-access.ts'
import type { InferenceServer } from '../nodes/program.ts'

/** A pod on the network: what its containers listen on, asked anew at each connection. */
export interface PodEndpoint {
  /** `namespace/name`. */
  readonly podKey: string
  readonly nodeName?: string
  /** Whether a process in the pod listens on the port now. */
  accepts(port: number): boolean
  /** An HTTP GET; left out where nobody asks. */
  get?(port: number, path: string, scheme?: string): GetAnswer
  /** The metrics exposed on a port under a path; see `RunningProgram.exposition`. */
  exposition?(port: number, path: string, wanted?: ReadonlySet<string>): readonly MetricFamily[] | undefined
  /** Set while a container serves inference requests; may be a getter. */
  readonly inference?: InferenceServer
}

/** What becomes of a TCP connection to an address: established, answered by RST, or by nothing at all. */
type Connection =
  | { readonly kind: 'open'; readonly endpoint: PodEndpoint }
  | { readonly kind: 'refused'; readonly endpoint: PodEndpoint }
  | { readonly kind: 'unreachable' }

/**
 * Pod IPs and who stands behind them. The kubelet registers a pod when its sandbox has its address and takes it away when the
 * sandbox is gone: between the two a port without a listener refuses, after it nothing answers (the veth and the route are
 * removed by the CNI plugin's DEL, so packets go into the void and the client times out).
 */
export class PodNetwork {
  private readonly endpoints = new Map<string, PodEndpoint>()

  /** Replaces whoever had the address before. */
  register(podIP: string, endpoint: PodEndpoint): void {
    this.endpoints.set(podIP, endpoint)
  }

  unregister(podIP: string): void {
    this.endpoints.delete(podIP)
  }

  connect(podIP: string, port: number): Connection {
    const endpoint = this.endpoints.get(podIP)
    if (!endpoint) return { kind: 'unreachable' }
    return { kind: endpoint.accepts(port) ? 'open' : 'refused', endpoint }
  }
}
