import { type Plain, REMOVED } from '../edit.ts'
import { own } from '../places.ts'
import { type Row, set } from '../row.ts'

const hpa = (field: string) => own('HorizontalPodAutoscaler', `/spec${field}`)
const scaled = (field: string) => own('ScaledObject', `/spec${field}`)
const HPA = ['hpa-on-cpu-blind']
const up = (rules: Plain): Plain => ({ scaleUp: rules })
const pods = (value: number, periodSeconds: number) => up({ policies: [{ type: 'Pods', value, periodSeconds }] })

/** Seven tenths of what the least replicas take are doubled, but for no more than eight tenths of what the most take. */
export const bounds: readonly Row[] = [
  {
    what: 'HPA maxReplicas',
    changes: set(hpa('/maxReplicas'), [2, 4, 10]),
    in: HPA,
    expected: 'PASS',
    why: 'two take 1.4 times what one can; there are nodes for four',
  },
  {
    what: 'HPA maxReplicas',
    changes: set(hpa('/maxReplicas'), [1]),
    in: HPA,
    expected: 'untriable',
    why: 'the load rises to eight tenths of what the one can take: nothing has to be added',
  },
  {
    what: 'HPA minReplicas',
    changes: set(hpa('/minReplicas'), [2, REMOVED]),
    in: HPA,
    expected: 'PASS',
    why: 'three take 2.4 times what one can (1 is the default)',
  },
  {
    what: 'HPA minReplicas',
    changes: set(hpa('/minReplicas'), [3]),
    in: HPA,
    expected: 'untriable',
    why: 'as many as there may be: nothing can be added',
  },
  {
    what: 'HPA bounds, refused',
    changes: [...set(hpa('/minReplicas'), [0, 4, -1]), ...set(hpa('/maxReplicas'), [0, -3, REMOVED])],
    in: HPA,
    expected: 'FAIL',
    why: 'the least is 1 (HPAScaleToZero is off) and no more than the most, which must be given',
  },
  {
    what: 'HPA scaleUp',
    changes: set(hpa('/behavior'), [
      pods(1, 15),
      pods(1, 60),
      pods(4, 15),
      up({ selectPolicy: 'Max' }),
      up({ stabilizationWindowSeconds: 15 }),
    ]),
    in: HPA,
    expected: 'PASS',
    why: 'one more within a minute is enough',
  },
  {
    what: 'HPA behavior, refused',
    changes: set(hpa('/behavior'), [
      pods(0, 15),
      pods(1, 0),
      pods(1, 1801),
      up({ selectPolicy: 'Most' }),
      up({ stabilizationWindowSeconds: 3601 }),
      up({ policies: [] }),
    ]),
    in: HPA,
    expected: 'FAIL',
    why: 'values from 1, periods from 1 to 1800 s, Max, Min or Disabled, windows up to 3600 s, a policy at least',
  },
  {
    what: 'HPA target, refused',
    changes: [
      ...set(hpa('/metrics/0/pods/target'), [{ type: 'AverageValue' }, { type: 'AverageValue', averageValue: '0' }]),
      ...set(hpa('/metrics/0/type'), ['Pod']),
      ...set(hpa('/scaleTargetRef/kind'), ['']),
    ],
    in: HPA,
    expected: 'FAIL',
    why: 'a value above 0, one of five types, a kind to scale',
  },
  {
    what: 'HPA scaleTargetRef',
    changes: set(hpa('/scaleTargetRef/name'), ['chatt']),
    in: HPA,
    expected: 'untriable',
    why: 'nothing scales the server',
  },
  {
    what: 'ScaledObject.maxReplicaCount',
    changes: set(scaled('/maxReplicaCount'), [2, 4]),
    in: ['hpa-on-cpu-blind', 'saturated-but-kv-low'],
    expected: 'PASS',
    why: 'two take 1.4 times what one can; there are nodes for four',
  },
  {
    what: 'ScaledObject.minReplicaCount',
    changes: set(scaled('/minReplicaCount'), [4]),
    in: ['hpa-on-cpu-blind', 'saturated-but-kv-low'],
    expected: 'untriable',
    why: 'KEDA takes no least above the most: nothing scales the server',
  },
  {
    what: 'ScaledObject.scaleTargetRef',
    changes: set(scaled('/scaleTargetRef/name'), ['chatt']),
    in: ['hpa-on-cpu-blind', 'saturated-but-kv-low', 'metrics-outage', 'absent-series-is-not-idle'],
    expected: 'untriable',
    why: 'nothing scales the server',
  },
]
