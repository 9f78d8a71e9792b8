import type { Kube } from '../kube/kube.ts'
import type { InferenceObserver, InferenceRequest } from '../nodes/program.ts'
import type { Task } from '../world/actor.ts'
import type { Clock } from '../world/clock.ts'
import type { Us } from '../world/time.ts'

/** A kind of place to run platforms in. Adding one is adding a folder under `tiers/`. */
export interface Tier<Options = unknown> {
  readonly name: string
  /** What is missing on this machine, and how to get it. Empty: ready to use. */
  available(): Promise<readonly Missing[]>
  /** What would be made, for people to read; nothing is made. */
  plan(options: Options): readonly string[]
  up(options: Options): Promise<Sandbox>
}

export interface Missing {
  what: string
  fix: string
}

/** A running place: a cluster, a clock, and ways to disturb it. */
export interface Sandbox {
  readonly clock: Clock
  /** The client of whoever stands outside the cluster: `kubectl`. */
  readonly kube: Kube
  readonly levers: Levers
  /** Moves time on to `until`. At once on a virtual clock. */
  runUntil(until: Us): Promise<void>
  /** Runs a task of the harness to its end, moving time as needed, at most until `deadline`. Undefined: not done by then. */
  run<T>(name: string, task: Task<T>, deadline: Us): Promise<{ value: T } | undefined>
  /** How clients reach a Service of an inference server. */
  reach(service: string, port: number): Route
  /** Removes exactly what `up` made. */
  close(): Promise<void>
}

/** A way to a service, as an entry node sees it through its kube-proxy. */
export interface Route {
  /** Sends a request now; the observer is told its fate. Returns how the client hangs up. */
  send(request: InferenceRequest, observer: InferenceObserver & { routed?(pod: string): void }): () => void
}

/**
 * What a tier can do to its world. A lever a tier lacks is absent, and faults that need it are SKIPPED there.
 * Each call takes effect at once and returns how to undo it.
 */
export interface Levers {
  /** Containers of matching pods that start from now on load their weights `factor` times slower. */
  readonly 'engine.loadFactor'?: (match: (pod: string) => boolean, factor: number) => () => void
  /** The engines of matching pods stop stepping while their servers still answer `/health`. */
  readonly 'engine.hang'?: (match: (pod: string) => boolean) => () => void
}
