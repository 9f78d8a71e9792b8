import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { World } from '../../world/world.ts'
import type { PrometheusLookup } from './scalers/prometheus-http.ts'

/** What the parts of the operator share. */
export interface OperatorContext {
  readonly kube: Kube
  readonly world: World
  readonly prometheus: PrometheusLookup
  /** Told of what a ScaledObject rests on and cannot be modelled. */
  refused(object: o.ScaledObject, what: string): void
}

/** A ScaledObject as one part of the operator last saw it; its health is counted in it. */
export interface Held {
  object: o.ScaledObject
}
