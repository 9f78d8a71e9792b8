import { horizontalPodAutoscalerStrategy } from '../../../apiserver/strategies/autoscaling.ts'
import type * as o from '../../../kube/objects.ts'
import { type RandomStream, randomStream } from '../../../world/random.ts'
import { seconds, type Us } from '../../../world/time.ts'
import { chance, drawPodAnswer, drawPods, drawSeries, drawValue, pick } from './draw.ts'
import type { Answers } from './metrics.ts'

/** A run of the controller over several passes, as fixtures/oracles/hpa/run.go takes it. */
export interface RunCase {
  scaleToZero: boolean
  tolerance: number
  stabilizationUs: Us
  initUs: Us
  readyUs: Us
  hpas: o.HorizontalPodAutoscaler[]
  steps: Step[]
}

export interface Step {
  at: Us
  /** The name of the HPA that is looked at. */
  hpa: string
  /** What the targets' scales are set to before; by default they are as the last pass left them. */
  scales: Record<string, { spec: number; status: number; selector: string }>
  pods: o.Pod[]
  answers: Answers
  spec: o.HorizontalPodAutoscaler['spec'] | undefined
  getError: string
  updateError: string
  /** How often an update of the scale finds another version. */
  conflicts: number
}

/** What a pass did. */
export interface RunAnswer {
  replicas: number | null
  status: o.HorizontalPodAutoscaler['status']
  written: boolean
  events: string[]
  error: string
}

export const runCases = (seed: number, count: number): RunCase[] =>
  Array.from({ length: count }, (_, i) => drawRun(randomStream(seed, `run/${i}`)))

const TARGET = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }

function drawRun(random: RandomStream): RunCase {
  const scaleToZero = chance(random, 0.2)
  const names = chance(random, 0.1) ? ['a', 'b'] : ['a']
  const hpas = names.map((name) => hpaOf(name, drawSpec(random, scaleToZero)))
  const steps: Step[] = []
  let at = 0
  const count = 1 + random.int(10)
  for (let i = 0; i < count; i++) {
    at += seconds(pick(random, [1, 15, 15, 15, 15, 30, 60, 299, 300, 301, 700]))
    const hpa = pick(random, hpas)
    steps.push(drawStep(random, { at, hpa, first: i === 0, scaleToZero }))
  }
  return {
    ...{ scaleToZero, hpas, steps },
    tolerance: pick(random, [0.1, 0.1, 0.05]),
    stabilizationUs: seconds(pick(random, [300, 300, 0, 60])),
    initUs: seconds(pick(random, [300, 0])),
    readyUs: seconds(30),
  }
}

const hpaOf = (name: string, spec: o.HorizontalPodAutoscaler['spec']): o.HorizontalPodAutoscaler =>
  ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace: 'default' },
    spec,
    status: { desiredReplicas: 0 },
  }) as o.HorizontalPodAutoscaler

function drawSpec(random: RandomStream, scaleToZero: boolean): o.HorizontalPodAutoscaler['spec'] {
  const min = pick(random, [undefined, 1, 2, 5, ...(scaleToZero ? [0, 0, 0, 0] : [])])
  const metrics = Array.from({ length: 1 + random.int(3) }, (_, i) => drawMetric(random, i))
  const toZero = scaleToZero && chance(random, 0.5)
  const wrong = chance(random, 0.03)
  return {
    scaleTargetRef: wrong
      ? pick(random, [
          { ...TARGET, apiVersion: 'a/b/c' },
          { ...TARGET, kind: 'Fleet' },
          { ...TARGET, name: 'gone' },
        ])
      : chance(random, 0.05)
        ? { ...TARGET, apiVersion: 'apps/v1beta1' }
        : TARGET,
    ...(min === undefined ? {} : { minReplicas: min }),
    maxReplicas: (min ?? 1) + random.int(pick(random, [3, 20, 200])) + 1,
    metrics: chance(random, 0.03)
      ? []
      : toZero
        ? metrics.filter(({ object, external }) => object ?? external)
        : metrics,
    ...(chance(random, 0.5) ? { behavior: drawBehavior(random) } : {}),
  } as o.HorizontalPodAutoscaler['spec']
}

const SELECTORS = [
  undefined,
  {},
  { matchLabels: { queue: 'x' } },
  { matchExpressions: [{ key: 'queue', operator: 'Near', values: ['x'] }] },
]

function drawMetric(random: RandomStream, i: number): o.MetricSpec {
  const average = { type: 'AverageValue', averageValue: pick(random, ['500m', '1', '20']) } as const
  const value = { type: 'Value', value: pick(random, ['500m', '1', '20']) } as const
  const percent = { type: 'Utilization', averageUtilization: pick(random, [50, 80, 120]) } as const
  const metric = {
    name: `m${i}`,
    ...(chance(random, 0.3) ? { selector: pick(random, SELECTORS) } : {}),
  } as o.MetricIdentifier
  const name = pick(random, ['cpu', 'cpu', 'memory'])
  const target = pick(random, [percent, percent, name === 'memory' ? { ...average, averageValue: '64Gi' } : average])
  switch (pick(random, ['Resource', 'Resource', 'ContainerResource', 'Pods', 'Object', 'External'] as const)) {
    case 'Resource':
      return { type: 'Resource', resource: { name, target } }
    case 'ContainerResource':
      return { type: 'ContainerResource', containerResource: { name, container: 'main', target } }
    case 'Pods':
      return { type: 'Pods', pods: { metric, target: average } }
    case 'Object': {
      const describedObject = { apiVersion: 'v1', kind: 'Service', name: 'front' }
      const both = { ...value, ...average, type: pick(random, ['Value', 'AverageValue'] as const) }
      return { type: 'Object', object: { describedObject, metric, target: pick(random, [average, value, both]) } }
    }
    case 'External':
      return { type: 'External', external: { metric, target: pick(random, [average, value]) } }
  }
}

function drawBehavior(random: RandomStream): unknown {
  const rules = () => ({
    ...(chance(random, 0.5) ? { stabilizationWindowSeconds: pick(random, [0, 15, 30, 60, 300, 600]) } : {}),
    ...(chance(random, 0.5) ? { selectPolicy: pick(random, ['Max', 'Min', 'Disabled']) } : {}),
    ...(chance(random, 0.6)
      ? {
          policies: Array.from({ length: 1 + random.int(2) }, () => ({
            type: pick(random, ['Pods', 'Percent']),
            value: pick(random, [1, 2, 4, 10, 50, 100, 900]),
            periodSeconds: pick(random, [1, 15, 30, 60, 300, 1800]),
          })),
        }
      : {}),
    ...(chance(random, 0.3) ? { tolerance: pick(random, ['0', '50m', '10m', '200m', '1', '2500u']) } : {}),
  })
  return {
    ...(chance(random, 0.8) ? { scaleUp: rules() } : {}),
    ...(chance(random, 0.8) ? { scaleDown: rules() } : {}),
  }
}

interface StepOptions {
  readonly at: Us
  readonly hpa: o.HorizontalPodAutoscaler
  readonly first: boolean
  readonly scaleToZero: boolean
}

function drawStep(random: RandomStream, { at, hpa, first, scaleToZero }: StepOptions): Step {
  const pods = drawPods(random, chance(random, 0.05) ? 0 : 1 + random.int(9), at)
  const spec = pick(random, [0, 1, 2, 3, 5, 8, 8, 12, 30])
  const selector = chance(random, 0.97) ? 'app=web' : pick(random, ['', 'app in web', 'app in (web,x),!gone'])
  const status = chance(random, 0.8) ? spec : random.int(spec + 2)
  const changed = !first && chance(random, 0.05) ? drawSpec(random, scaleToZero) : undefined
  return {
    ...{ at, pods, hpa: hpa.metadata.name, spec: changed },
    scales: first || chance(random, 0.1) ? { web: { spec, status, selector } } : {},
    answers: drawAnswers(random, pods, at),
    getError: chance(random, 0.02) ? 'the server was unable to return a response in the time allotted' : '',
    updateError: chance(random, 0.02) ? 'admission webhook denied the request' : '',
    conflicts: chance(random, 0.05) ? random.int(7) : 0,
  }
}

function drawAnswers(random: RandomStream, pods: readonly o.Pod[], at: Us): Answers {
  const answers: Answers = {}
  for (const container of ['', '/main']) {
    answers[`resource/cpu${container}`] = drawPodAnswer(random, pods, 700, at)
    answers[`resource/memory${container}`] = drawPodAnswer(random, pods, 6e13, at)
  }
  for (const i of [0, 1, 2]) {
    const level = pick(random, [0, 500, 1000, 5000, 20_000])
    answers[`pods/m${i}`] = drawPodAnswer(random, pods, level, at)
    answers[`object/m${i}`] = drawValue(random, level)
    answers[`external/m${i}`] = drawSeries(random, level)
  }
  return answers
}

/** As the server stores it. */
export const stored = (hpa: o.HorizontalPodAutoscaler): o.HorizontalPodAutoscaler =>
  horizontalPodAutoscalerStrategy.default(hpa)
