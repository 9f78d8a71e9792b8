import type * as o from '../../../kube/objects.ts'
import type { Task } from '../../../world/actor.ts'
import { type RandomStream, randomStream } from '../../../world/random.ts'
import { seconds, type Us } from '../../../world/time.ts'
import { type Ask, type Proposal, ReplicaCalculator } from '../replica-calculator.ts'
import { messageOf } from '../scaling-error.ts'
import { chance, drawPodAnswer, drawPods, drawSeries, drawValue, pick } from './draw.ts'
import { type Answers, cannedMetrics } from './metrics.ts'

/** One call of the calculator, as fixtures/oracles/hpa/calc.go takes it. */
export interface CalcCase {
  source: 'utilization' | 'resource' | 'pods' | 'object' | 'objectPerPod' | 'external' | 'externalPerPod'
  name: string
  container: string
  current: number
  target: number
  toleranceDown: number
  toleranceUp: number
  now: Us
  initUs: Us
  readyUs: Us
  selector: string
  object: o.CrossVersionObjectReference
  metricLabels: o.LabelSelector | undefined
  pods: readonly o.Pod[]
  answers: Answers
}

export interface CalcAnswer {
  replicas: number
  utilization: number
  usage: string
  error: string
}

const SOURCES = ['utilization', 'resource', 'pods', 'object', 'objectPerPod', 'external', 'externalPerPod'] as const
const METRIC_LABELS: readonly (o.LabelSelector | undefined)[] = [
  undefined,
  { matchLabels: { queue: 'a', b: 'c' } },
  {
    matchExpressions: [
      { key: 'q', operator: 'In', values: ['x', 'y'] },
      { key: 'z', operator: 'Exists' },
    ],
  },
]

export const calcCases = (seed: number, count: number): CalcCase[] =>
  Array.from({ length: count }, (_, i) => drawCase(randomStream(seed, `calc/${i}`)))

function drawCase(random: RandomStream): CalcCase {
  const now = seconds(1000 + random.int(3))
  const source = pick(random, SOURCES)
  const count = chance(random, 0.05) ? 0 : 1 + random.int(pick(random, [3, 9, 40]))
  const pods = drawPods(random, count, now)
  const percent = source === 'utilization'
  const name = source === 'utilization' || source === 'resource' ? pick(random, ['cpu', 'cpu', 'memory']) : 'qps'
  const container = (percent || source === 'resource') && chance(random, 0.2) ? pick(random, ['main', 'side']) : ''
  const level = name === 'memory' ? 1e12 : 700
  const target = percent
    ? pick(random, [1, 50, 80, 100, 130])
    : Math.max(1, Math.round(level * pick(random, [0.001, 0.5, 1, 2])))
  const tolerance = () => pick(random, [0, 0.05, 0.1, 0.1, 0.5])
  const key = source.replace('PerPod', '').replace('utilization', 'resource')
  return {
    ...{ source, name, container, target, now, pods },
    current: chance(random, 0.6) ? count : random.int(20),
    toleranceDown: tolerance(),
    toleranceUp: tolerance(),
    initUs: seconds(pick(random, [0, 120, 300])),
    readyUs: seconds(pick(random, [10, 30])),
    selector: 'app=web',
    object: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'front' },
    metricLabels: pick(random, METRIC_LABELS),
    answers: {
      [`${key}/${name}${container ? `/${container}` : ''}`]:
        key === 'resource' || key === 'pods'
          ? drawPodAnswer(random, pods, percent ? level : target, now)
          : key === 'object'
            ? drawValue(random, target * (chance(random, 0.5) ? 1 : count))
            : drawSeries(random, target * (chance(random, 0.5) ? 1 : count)),
    },
  }
}

/** An answer as text. Where several pods are at fault, upstream names any of them. */
export const comparableAnswer = (answer: CalcAnswer): string =>
  JSON.stringify({ ...answer, error: anyPod(answer.error) })

/** Which of the pods at fault is named, and for which fault, is chance upstream. */
export const anyPod = (text: string): string =>
  text.replace(
    /(missing (pod-level )?request for \w+ in|container \w+ not found in)( container \w+ of)? Pod p\d+/g,
    'a pod is wrong',
  )

/** The same call of ours. */
export function calculate(item: CalcCase): CalcAnswer {
  const { source, name, object, metricLabels } = item
  const calculator = new ReplicaCalculator({
    metrics: cannedMetrics(
      () => item.answers,
      () => item.now,
    ),
    cpuInitializationPeriod: item.initUs,
    initialReadinessDelay: item.readyUs,
    now: () => item.now,
  })
  const ask: Ask = {
    current: item.current,
    target: BigInt(item.target),
    tolerances: { down: item.toleranceDown, up: item.toleranceUp },
    namespace: 'default',
    pods: { selector: { matchLabels: { app: 'web' } }, list: () => item.pods },
  }
  const container = item.container || undefined
  const task: Task<Proposal> = {
    utilization: () => calculator.utilization(ask, name, container),
    resource: () => calculator.resource(ask, name, container),
    pods: () => calculator.pods(ask, name, undefined),
    object: () => calculator.object(ask, name, object),
    objectPerPod: () => calculator.objectPerPod(ask, name, object),
    external: () => calculator.external(ask, name, metricLabels),
    externalPerPod: () => calculator.externalPerPod(ask, name, metricLabels),
  }[source]()
  try {
    const step = task.next()
    if (!step.done) throw new Error('the calculation waits')
    const { replicas, percent = 0, usage } = step.value
    return { replicas, utilization: percent, usage: `${usage}`, error: '' }
  } catch (error) {
    return { replicas: 0, utilization: 0, usage: '0', error: messageOf(error) }
  }
}
