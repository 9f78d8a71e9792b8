import type { Kube } from '../../kube/kube.ts'
import type { Pod } from '../../kube/objects.ts'
import type { MetricFamily } from '../../metrics/sample.ts'
import { Entries, type EntryPoint } from '../../network/gateway/entry.ts'
import { assumedWriteTime, KubeProxy } from '../../network/kube-proxy.ts'
import type { PodNetwork } from '../../network/pod-network.ts'
import { createRoute } from '../../network/route.ts'
import type { World } from '../../world/world.ts'
import type { Route } from '../tier.ts'

interface WaysInOptions {
  readonly world: World
  readonly network: PodNetwork
  readonly kubeOf: (process: string) => Kube
  /** The node by which clients come in. */
  readonly entryNode: string
}

/** How clients come in to a sandbox with simulated nodes. Only the entry node has a kube-proxy: nobody else's rules are asked. */
export class WaysIn {
  private readonly options: WaysInOptions
  private readonly proxy: KubeProxy
  private entries: Entries | undefined

  constructor(options: WaysInOptions) {
    const { world, kubeOf, entryNode: nodeName } = options
    this.options = options
    this.proxy = new KubeProxy({ world, kube: kubeOf(`kube-proxy/${nodeName}`), nodeName, writeTime: assumedWriteTime })
  }

  reach(service: string, port: number, from: 'cluster' | 'outside' = 'cluster'): Route {
    const { world, network } = this.options
    return createRoute({ world, proxy: this.proxy, network, service, port, from })
  }

  enter(point: EntryPoint): Route {
    const { world, network, kubeOf } = this.options
    this.entries ??= new Entries({
      ...{ world, network, kubeOf },
      reach: (service, port, from) => this.reach(service, port, from),
    })
    return this.entries.enter(point)
  }

  exposed({ status }: Pod, port: number, names: ReadonlySet<string>): readonly MetricFamily[] {
    const connection = status.podIP === undefined ? undefined : this.options.network.connect(status.podIP, port)
    return connection?.kind === 'open' ? (connection.endpoint.exposition?.(port, '/metrics', names) ?? []) : []
  }
}
