import { deploymentController } from '../../controllers/deployment.ts'
import { replicaSetController } from '../../controllers/replicaset.ts'
import { deploymentOf, type TestCluster, testCluster, WEB } from '../../controllers/testkit.ts'
import { Deployment, HorizontalPodAutoscaler, ScaledObject } from '../../kube/kinds.ts'
import { instant, type LagProfile } from '../../kube/lag.ts'
import type * as o from '../../kube/objects.ts'
import { QueryError, type QueryValue } from '../../metrics/querier.ts'
import { seconds, type Us } from '../../world/time.ts'
import { type Keda, runKeda } from './keda.ts'
import type { PrometheusCondition } from './scalers/prometheus-http.ts'
import { conditionOf } from './status.ts'

export const PROMETHEUS = 'http://prometheus.monitoring:9090'

/** A cluster with KEDA, a Deployment `web`, and a Prometheus that answers what the test says. */
export interface KedaCluster extends TestCluster {
  readonly keda: Keda
  /** What the server answers from now on: a number, several, nothing, or an error. */
  answer(value: number | readonly number[] | 'nothing' | 'error' | QueryValue): void
  setCondition(condition: PrometheusCondition): void
  /** Instants at which queries came. */
  readonly asked: Us[]
  apply(spec: Partial<o.ScaledObjectSpec>, annotations?: Record<string, string>): void
  annotate(annotations: Record<string, string | null>): void
  replicas(): number
  scaledObject(): o.ScaledObject
  hpa(): o.HorizontalPodAutoscaler | undefined
  statusOf(type: o.KedaCondition['type']): string
  run(durationS: number): void
  /** What an HPA gets for a metric: its values, or the error's text. */
  metric(name: string): readonly number[] | string
}

export function kedaCluster(replicas: number, profile: LagProfile = instant): KedaCluster {
  const cluster = testCluster({ controllers: [deploymentController, replicaSetController], profile })
  let value: QueryValue | 'error' = vector([])
  let present: PrometheusCondition = { latency: 0 }
  const asked: Us[] = []
  const querier = {
    instant(_: string, at: Us): QueryValue {
      asked.push(at)
      if (value === 'error') throw new QueryError('PROMQL_UNAVAILABLE', 'down')
      return value
    },
  }
  const { store, clock, world } = cluster
  store.create(Deployment, deploymentOf(replicas), 'kubectl')
  // so that nothing happens in the very moment of a creation
  clock.runUntil(seconds(0.5))
  const keda = runKeda({
    world,
    kube: cluster.kube('keda-operator'),
    prometheus: (address) => (address === PROMETHEUS ? { querier, condition: () => present } : undefined),
  })
  const scaledObject = () => store.get(ScaledObject, WEB)
  return {
    ...cluster,
    keda,
    asked,
    answer(given) {
      if (typeof given === 'number') value = vector([given])
      else if (given === 'nothing') value = vector([])
      else value = given === 'error' || 'type' in given ? (given as QueryValue | 'error') : vector(given)
    },
    setCondition(given) {
      present = given
    },
    apply(spec, annotations) {
      store.create(ScaledObject, scaledObjectOf(spec, annotations), 'kubectl')
    },
    annotate: (annotations) => void store.patch(ScaledObject, WEB, { metadata: { annotations } }, 'kubectl'),
    replicas: () => store.get(Deployment, WEB).spec.replicas,
    scaledObject,
    hpa: () => store.peek(HorizontalPodAutoscaler, 'default/keda-hpa-web'),
    statusOf(type) {
      const { status, reason } = conditionOf(scaledObject().status?.conditions, type) ?? { status: 'none' }
      return `${status} ${reason ?? ''}`.trim()
    },
    run: (durationS) => clock.runUntil(clock.now + seconds(durationS)),
    metric(name) {
      let got: readonly number[] | string = 'no answer'
      world.spawn(
        'hpa',
        (function* () {
          try {
            const selector = { matchLabels: { 'scaledobject.keda.sh/name': 'web' } }
            got = (yield* keda.metrics.external(name, 'default', selector)).milli
          } catch (error) {
            got = (error as Error).message
          }
        })(),
      )
      clock.runUntil(clock.now + seconds(1))
      return got
    },
  }
}

const vector = (values: readonly number[]): QueryValue => ({
  type: 'vector',
  samples: values.map((value, i) => ({ labels: { pod: `p${i}` }, value })),
})

export const scaledObjectOf = (
  spec: Partial<o.ScaledObjectSpec>,
  annotations?: Record<string, string>,
): o.Draft<o.ScaledObject> => ({
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: 'web', namespace: 'default', ...(annotations ? { annotations } : {}) },
  spec: { scaleTargetRef: { name: 'web' }, triggers: [prometheusTrigger()], ...spec },
})

export const prometheusTrigger = (
  metadata: Record<string, string> = {},
  rest: Partial<o.ScaleTrigger> = {},
): o.ScaleTrigger => ({
  type: 'prometheus',
  metadata: { serverAddress: PROMETHEUS, query: 'sum(rate(requests[1m]))', threshold: '5', ...metadata },
  ...rest,
})
