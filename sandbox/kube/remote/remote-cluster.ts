import type { World } from '../../world/world.ts'
import { Cache } from '../cache.ts'
import type { Kind } from '../kinds.ts'
import type { LagProfile } from '../lag.ts'
import type { KubeObject } from '../objects.ts'
import { Informer } from './informer.ts'
import type { Informed } from './parts.ts'
import { RemoteKube } from './remote-kube.ts'
import type { Rest } from './rest.ts'
import type { Fields } from './view.ts'

export interface RemoteClusterOptions {
  /** On a `WallClock`. */
  readonly world: World
  /** Get it by `openRest`. */
  readonly rest: Rest
  /** Rate limits by process, as in a lag profile. A process that is not in it is not limited. */
  readonly limits?: LagProfile['clients']
}

/**
 * A real cluster as any number of processes within this one see it. They share one informer of each kind that any of them asks
 * for, started when the first does; what each of them sees, its requests and its rate limits are its own.
 */
export class RemoteCluster {
  readonly world: World
  readonly rest: Rest
  readonly limits: LagProfile['clients']
  private readonly informed = new Map<string, Informed>()
  private readonly listing = new Set<string>()
  private readonly views = new Set<RemoteKube>()
  private fills: (() => void)[] = []
  private waiters: (() => void)[] = []
  private stopped = false

  constructor({ world, rest, limits = {} }: RemoteClusterOptions) {
    this.world = world
    this.rest = rest
    this.limits = limits
  }

  /**
   * The view of a process: `kube-scheduler`, `kubelet/gpu-3`. It sees at once what the cluster's informers hold; the first lists of kinds
   * that are new to the cluster, asked for together, enter its caches together. End it with its `stop`.
   */
  kubeOf(process: string, fields: Fields = {}): RemoteKube {
    const view = new RemoteKube({ cluster: this, process, fields, stopped: () => this.views.delete(view) })
    this.views.add(view)
    return view
  }

  /** Starts the informers of these kinds and waits until all that are started hold what the server had. */
  async sync(...kinds: readonly Kind[]): Promise<void> {
    for (const kind of kinds) this.inform(kind)
    if (this.listing.size > 0)
      await new Promise<void>((resolve) => {
        this.waiters.push(resolve)
      })
  }

  /** Ends every view and every watch. */
  stop(): void {
    this.stopped = true
    for (const view of [...this.views]) view.stop()
    for (const { informer } of this.informed.values()) informer?.stop()
  }

  /** The cache of a kind, whose informer is started at its first use. For views. */
  inform<T extends KubeObject>(kind: Kind<T>): Informed<T> {
    let known = this.informed.get(kind.id) as unknown as Informed<T> | undefined
    if (!known) {
      known = { cache: new Cache<T>(kind), parts: new Map() }
      this.informed.set(kind.id, known as unknown as Informed)
      if (!this.stopped) {
        this.listing.add(kind.id)
        known.informer = this.informer(kind, known.cache)
      }
    }
    return known
  }

  /** Whether no kind is being listed for the first time; otherwise `then` is called when that is so. For views. */
  ready(then: () => void): boolean {
    if (this.listing.size === 0) return true
    this.waiters.push(then)
    return false
  }

  private informer<T extends KubeObject>(kind: Kind<T>, cache: Cache<T>): Informer<T> {
    const { world, rest } = this
    return new Informer<T>({
      clock: world.clock,
      rest,
      cache,
      kind,
      onListed: (fill) => {
        this.fills.push(fill)
        this.doneListing(kind)
      },
      onRefused: (error) => {
        world.journal.append({ type: 'note', by: 'informers', about: kind.id, text: `not watched: ${error.message}` })
        this.doneListing(kind)
      },
    })
  }

  private doneListing(kind: Kind): void {
    this.listing.delete(kind.id)
    if (this.listing.size > 0) return
    const { fills, waiters } = this
    this.fills = []
    this.waiters = []
    for (const fill of fills) fill()
    for (const go of waiters) go()
  }
}
