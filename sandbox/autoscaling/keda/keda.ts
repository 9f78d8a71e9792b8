import { runController } from '../../controllers/controller.ts'
import { keyOf } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { World } from '../../world/world.ts'
import { scaledObjectController } from './controller.ts'
import { KedaMetricsServer } from './metrics-server.ts'
import type { OperatorContext } from './operator-context.ts'
import { ScaleHandler } from './scale-handler.ts'
import type { PrometheusLookup } from './scalers/prometheus-http.ts'

export interface KedaOptions {
  readonly world: World
  /** The Kube of the process `keda-operator`. */
  readonly kube: Kube
  /** Which Prometheus a trigger's `serverAddress` leads to. */
  readonly prometheus: PrometheusLookup
}

/** A running KEDA. */
export interface Keda {
  readonly metrics: KedaMetricsServer
  /** What ScaledObjects rested on and is not modelled, each once: `default/web: trigger kafka`. A verdict on them is INVALID. */
  readonly refusals: ReadonlySet<string>
}

/** Runs KEDA's operator and metrics server, version 2.21. */
export function runKeda({ world, kube, prometheus }: KedaOptions): Keda {
  const refusals = new Set<string>()
  const context: OperatorContext = {
    world,
    kube,
    prometheus,
    refused: (object, what) => refusals.add(`${keyOf(object)}: ${what}`),
  }
  const handler = new ScaleHandler(context)
  runController(scaledObjectController(context, handler), { world, kube })
  return { metrics: new KedaMetricsServer(context, handler), refusals }
}
