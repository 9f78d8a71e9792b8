import { describe, expect, it } from 'vitest'
import type * as o from '../../kube/objects.ts'
import { seconds, toRfc3339, type Us } from '../../world/time.ts'
import { type CalcCase, calculate } from './oracle/calc-cases.ts'

const NOW = seconds(1000)

interface PodSketch {
  readonly milli?: number
  readonly phase?: string
  readonly ready?: boolean
  /** Seconds ago. */
  readonly started?: number
  readonly changed?: number
  readonly deleted?: true
  readonly sampled?: number
}

const ago = (s: number): Us => NOW - seconds(s)

function podOf(
  { phase = 'Running', ready = true, started = 900, changed = 890, deleted }: PodSketch,
  i: number,
): o.Pod {
  const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: toRfc3339(ago(changed)) }
  return {
    metadata: {
      ...{ name: `p${i}`, namespace: 'default', labels: { app: 'web' } },
      ...(deleted ? { deletionTimestamp: toRfc3339(NOW) } : {}),
    },
    spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }] },
    status: { phase, startTime: toRfc3339(ago(started)), conditions: [condition] },
  } as unknown as o.Pod
}

/** cpu of pods of one core each, against 50 %, unless said otherwise. */
function cpu(sketches: readonly PodSketch[], more: Partial<CalcCase> = {}) {
  const samples = sketches.flatMap(({ milli, sampled = 15 }, i) =>
    milli === undefined ? [] : [[`p${i}`, { milli, at: ago(sampled), windowUs: seconds(30) }]],
  )
  const pods = sketches.map(podOf)
  const { replicas, utilization, error } = calculate({
    ...{ source: 'utilization', name: 'cpu', container: '', current: pods.length, target: 50, now: NOW, pods },
    ...{ toleranceDown: 0.1, toleranceUp: 0.1, initUs: seconds(300), readyUs: seconds(30), selector: 'app=web' },
    object: { kind: 'Service', name: 's' },
    metricLabels: undefined,
    answers: { 'resource/cpu': { pods: Object.fromEntries(samples) } },
    ...more,
  })
  return error || [replicas, utilization]
}

describe('ReplicaCalculator', () => {
  it.each<[string, PodSketch[], Partial<CalcCase>, unknown]>([
    ['scales with usage', [{ milli: 800 }, { milli: 700 }], {}, [3, 75]],
    ['holds within the tolerance', [{ milli: 550 }, { milli: 550 }], {}, [2, 55]],
    ['moves just outside of it', [{ milli: 560 }, { milli: 560 }], {}, [3, 56]],
    ['has a tolerance for each direction', [{ milli: 460 }, { milli: 400 }], { toleranceDown: 0.2 }, [2, 43]],
    ['takes pods without a value for idle when usage is high', [{ milli: 900 }, { milli: 900 }, {}], {}, [4, 90]],
    ['and for busy when it is low', [{ milli: 100 }, { milli: 100 }, {}], {}, [3, 10]],
    ['does not turn round for what it does not know', [{ milli: 600 }, {}, {}, {}], {}, [4, 60]],
    ['takes pending pods for idle', [{ milli: 900 }, { milli: 900 }, { phase: 'Pending' }], {}, [4, 90]],
    [
      'does not count failed and deleted pods',
      [{ milli: 900 }, { milli: 900, phase: 'Failed' }, { milli: 900, deleted: true }],
      {},
      [2, 90],
    ],
    ['does not believe a pod that starts', [{ milli: 400 }, { milli: 1000, ready: false, started: 60 }], {}, [1, 40]],
    [
      'nor one whose value is from before it was ready',
      [{ milli: 400 }, { milli: 1000, started: 60, changed: 40, sampled: 15 }],
      {},
      [1, 40],
    ],
    [
      'believes one that was ready and is not any more',
      [{ milli: 900 }, { milli: 900, ready: false, started: 600, changed: 60 }],
      {},
      [4, 90],
    ],
    [
      'does not believe one that never was',
      [{ milli: 900 }, { milli: 900, ready: false, started: 600, changed: 590 }],
      {},
      [2, 90],
    ],
    [
      'says when no value is left',
      [{ milli: 900, phase: 'Pending' }],
      {},
      'did not receive metrics for targeted pods (pods might be unready)',
    ],
    ['says when there are no pods', [], {}, 'no pods returned by selector while calculating replica count'],
    [
      'says when a request is missing',
      [{ milli: 1 }],
      { container: 'side', answers: { 'resource/cpu/side': { pods: { p0: { milli: 1, at: NOW, windowUs: 1 } } } } },
      'container side not found in Pod p0',
    ],
  ])('%s', (_, sketches, more, expected) => {
    expect(cpu(sketches, more)).toEqual(expected)
  })

  it('is exact where memory goes beyond 2^53 thousandths', () => {
    const bytes = 96 * 2 ** 30 + 1
    const pods = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`p${i}`, { milli: bytes * 1000, at: NOW, windowUs: seconds(30) }]),
    )
    const answer = cpuLike(pods)
    expect(answer.usage).toBe(`${bytes * 1000}`)
  })

  it.each<[string, CalcCase['source'], number, Partial<CalcCase>, [number, string]]>([
    ['an object', 'object', 20_000, {}, [4, '20000']],
    ['an object at zero replicas', 'object', 15_000, { current: 0 }, [2, '15000']],
    ['an object, a pod', 'objectPerPod', 35_000, {}, [4, '17500']],
    ['an external metric', 'external', 20_000, {}, [4, '20000']],
    ['an external metric, a pod', 'externalPerPod', 20_500, {}, [2, '10250']],
  ])('follows %s', (_, source, milli, more, expected) => {
    const answers = { 'object/qps': { milli }, 'external/qps': { series: [milli - 1, 1] } }
    const item = { ...plain, source, answers, target: 10_000, pods: [podOf({}, 0), podOf({}, 1)], ...more }
    const { replicas, usage } = calculate(item)
    expect([replicas, usage]).toEqual(expected)
  })
})

const plain: CalcCase = {
  ...{ source: 'object', name: 'qps', container: '', current: 2, target: 1, now: NOW, pods: [], answers: {} },
  ...{ toleranceDown: 0.1, toleranceUp: 0.1, initUs: seconds(300), readyUs: seconds(30), selector: 'app=web' },
  object: { kind: 'Service', name: 's' },
  metricLabels: undefined,
}

function cpuLike(pods: Record<string, { milli: number; at: Us; windowUs: Us }>) {
  const names = Object.keys(pods).map((_, i) => podOf({}, i))
  const answers = { 'resource/memory': { pods } }
  return calculate({ ...plain, source: 'resource', name: 'memory', target: 1e12, pods: names, answers })
}
