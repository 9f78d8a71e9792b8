import { put, REMOVED } from '../edit.ts'
import { config, object, own, pod, rewrite, without } from '../places.ts'
import { each, just, type Row, set } from '../row.ts'

const ABSENT = ['absent-series-is-not-idle']
const OUTAGE = ['metrics-outage']
const KEDA = [...ABSENT, ...OUTAGE]
const HPA = ['hpa-on-cpu-blind']
const scaled = (field: string) => own('ScaledObject', `/spec${field}`)
const trigger = (field: string) => scaled(`/triggers/0/metadata${field}`)
const hpa = (field: string) => own('HorizontalPodAutoscaler', `/spec${field}`)
const behavior = (rules: unknown) => ({ horizontalPodAutoscalerConfig: { behavior: { scaleDown: rules } } })

/** Autoscalers whose metrics go missing or do not tell. */
export const scaling: readonly Row[] = [
  {
    what: 'ignoreNullValues',
    changes: set(trigger('/ignoreNullValues'), ['true', REMOVED]),
    in: ABSENT,
    expected: 'FAIL',
    why: 'an empty answer counts as 0 (true is the default)',
  },
  {
    what: 'ignoreNullValues',
    changes: set(trigger('/ignoreNullValues'), ['true']),
    in: OUTAGE,
    expected: 'PASS',
    why: 'no answer is an error, not an empty answer',
  },
  {
    what: 'query or vector(0)',
    changes: just(
      'or vector(0)',
      put(
        trigger('/query'),
        '(sum(vllm:num_requests_running{namespace="default"}) + sum(vllm:num_requests_waiting{namespace="default"})) or vector(0)',
      ),
    ),
    in: ABSENT,
    expected: 'FAIL',
    why: 'the query gives 0 when the series is gone',
  },
  {
    what: 'query or vector(0)',
    changes: just(
      'or vector(0)',
      put(
        trigger('/query'),
        '(sum(vllm:num_requests_running{namespace="default"}) + sum(vllm:num_requests_waiting{namespace="default"})) or vector(0)',
      ),
    ),
    in: OUTAGE,
    expected: 'PASS',
    why: 'no answer is an error, not an empty answer',
  },
  {
    what: 'query, the same in other words',
    changes: [
      ...just(
        'the other way round',
        put(
          trigger('/query'),
          'sum(vllm:num_requests_waiting{namespace="default"}) + sum(vllm:num_requests_running{namespace="default"})',
        ),
      ),
      ...just('=~', rewrite(trigger('/query'), 'namespace=', 'namespace=~')),
    ],
    in: KEDA,
    expected: 'PASS',
    why: 'the same sum',
  },
  {
    what: 'fallback',
    changes: set(scaled('/fallback'), [
      { failureThreshold: 3, replicas: 1 },
      { failureThreshold: 5, replicas: 2 },
    ]),
    in: KEDA,
    expected: 'FAIL',
    why: 'fewer than the three that run',
  },
  {
    what: 'fallback',
    changes: set(scaled('/fallback'), [
      { failureThreshold: 3, replicas: 3 },
      { failureThreshold: 3, replicas: 1, behavior: 'currentReplicasIfHigher' },
    ]),
    in: KEDA,
    expected: 'PASS',
    why: 'as many as run',
  },
  {
    what: 'pollingInterval',
    changes: set(scaled('/pollingInterval'), [5, 30]),
    in: KEDA,
    expected: 'PASS',
    why: 'an error is an error however often',
  },
  {
    what: 'cooldownPeriod',
    changes: set(scaled('/cooldownPeriod'), [60]),
    in: KEDA,
    expected: 'PASS',
    why: 'counts only on the way to no replica at all',
  },
  {
    what: 'threshold',
    changes: set(trigger('/threshold'), ['30', '35']),
    in: KEDA,
    expected: 'PASS',
    why: 'the three replicas are reached the sooner',
  },
  {
    what: 'minReplicaCount',
    changes: set(scaled('/minReplicaCount'), [2]),
    in: KEDA,
    expected: 'PASS',
    why: 'falls less',
  },
  {
    what: 'scaleDown',
    changes: set(scaled('/advanced'), [
      behavior({ selectPolicy: 'Disabled' }),
      behavior({ stabilizationWindowSeconds: 600 }),
    ]),
    in: OUTAGE,
    expected: 'PASS',
    why: 'falls later or never',
  },
  {
    what: 'ServiceMonitor interval',
    changes: set(own('ServiceMonitor', '/spec/endpoints/0/interval'), ['30s', '10s']),
    in: KEDA,
    expected: 'PASS',
    why: 'the series is there or not, however often it is looked for',
  },

  {
    what: 'HPA metric',
    changes: set(hpa('/metrics/0/pods/metric/name'), ['vllm_num_requests_waitin']),
    in: HPA,
    expected: 'untriable',
    why: 'nothing that was given serves a metric of that name: whether something else does cannot be known',
  },
  {
    what: 'HPA metric',
    changes: set(hpa('/metrics'), [
      [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
    ]),
    in: HPA,
    expected: 'FAIL',
    why: 'the CPU does not tell how busy the GPU is',
  },
  {
    what: 'HPA target',
    changes: set(hpa('/metrics/0/pods/target/averageValue'), ['5000']),
    in: HPA,
    expected: 'FAIL',
    why: 'thousands wait before it scales',
  },
  {
    what: 'HPA scaleUp',
    changes: set(hpa('/behavior'), [
      { scaleUp: { selectPolicy: 'Disabled' } },
      { scaleUp: { stabilizationWindowSeconds: 3600 } },
    ]),
    in: HPA,
    expected: 'FAIL',
    why: 'never, or an hour later',
  },
  {
    what: 'adapter',
    changes: set(config('/metrics/adapter'), [REMOVED]),
    in: HPA,
    expected: 'untriable',
    why: 'nothing that was given serves the metric: whether something else does cannot be known',
  },
  {
    what: 'ServiceMonitor',
    changes: [
      ...just('removed', without('ServiceMonitor')),
      ...set(own('ServiceMonitor', '/spec/selector/matchLabels/app'), ['nobody']),
      ...set(own('ServiceMonitor', '/spec/endpoints/0/port'), ['metrics']),
    ],
    in: HPA,
    expected: 'untriable',
    why: 'nothing that was given scrapes it: whether something else does cannot be known',
  },
  {
    what: 'HPA scaleDown',
    changes: set(hpa('/behavior'), [
      { scaleDown: { selectPolicy: 'Disabled' } },
      { scaleDown: { stabilizationWindowSeconds: 600 } },
    ]),
    in: HPA,
    expected: 'PASS',
    why: 'the way up is as before',
  },
]

const XID = ['xid-device-loss']
const POLICY = object('ConfigMap', 'descheduler-policy', '/data/policy.yaml')
const descheduler = (field: string) => object('Deployment', 'descheduler', field)
const threshold = (n: number) => rewrite(POLICY, 'podRestartThreshold: 4', `podRestartThreshold: ${n}`)

/** Who moves a pod from a GPU that is lost. */
export const remediation: readonly Row[] = [
  {
    what: 'podRestartThreshold',
    changes: each([50, 100], threshold),
    in: XID,
    expected: 'FAIL',
    why: 'restarts come every five minutes at last: fifty take hours',
  },
  {
    what: 'podRestartThreshold',
    changes: each([1, 2, 3, 5], threshold),
    in: XID,
    expected: 'PASS',
    why: 'five restarts take 310 s of waiting',
  },
  {
    what: 'the plugin of the policy',
    changes: [
      ...just(
        'another name',
        rewrite(POLICY, 'enabled: [RemovePodsHavingTooManyRestarts]', 'enabled: [RemoveDuplicates]'),
      ),
      ...just('none', rewrite(POLICY, 'enabled: [RemovePodsHavingTooManyRestarts]', 'enabled: []')),
    ],
    in: XID,
    expected: 'FAIL',
    why: 'nothing looks at restarts',
  },
  {
    what: 'descheduler',
    changes: [
      ...just('removed', without('Deployment', 'descheduler')),
      ...set(descheduler('/spec/template/spec/nodeSelector'), [{ pool: 'other' }]),
    ],
    in: XID,
    expected: 'untriable',
    why: 'who moves the pod is decided elsewhere, or never comes up',
  },
  {
    what: 'descheduler',
    changes: set(descheduler('/spec/replicas'), [0]),
    in: XID,
    expected: 'FAIL',
    why: 'it is there and runs nowhere: nobody moves the pod',
  },
  {
    what: 'descheduler interval',
    changes: set(descheduler('/spec/template/spec/containers/0/args/1'), ['--descheduling-interval=2h']),
    in: XID,
    expected: 'FAIL',
    why: 'the next look is hours away',
  },
  {
    what: 'descheduler interval',
    changes: set(descheduler('/spec/template/spec/containers/0/args/1'), [
      '--descheduling-interval=1m',
      '--descheduling-interval=120s',
      '--descheduling-interval=4m',
    ]),
    in: XID,
    expected: 'PASS',
    why: 'looks often enough',
  },
  {
    what: 'the name of the policy',
    changes: set(object('ConfigMap', 'descheduler-policy', '/metadata/name'), ['policy']),
    in: XID,
    expected: 'untriable',
    why: 'the descheduler finds no policy',
  },
  {
    what: 'a volume of the server',
    changes: set(pod('/volumes'), [[{ name: 'shm', emptyDir: { medium: 'Memory' } }]]),
    in: XID,
    expected: 'FAIL',
    why: 'the descheduler leaves pods with local storage where they are',
  },
  {
    what: 'replicas',
    changes: set(own('Deployment', '/spec/replicas'), [1, 3]),
    in: XID,
    expected: 'PASS',
    why: 'four GPUs less one have room',
  },
]
