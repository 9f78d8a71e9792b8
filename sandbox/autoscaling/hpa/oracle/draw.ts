import type * as o from '../../../kube/objects.ts'
import type { RandomStream } from '../../../world/random.ts'
import { seconds, toRfc3339, type Us } from '../../../world/time.ts'
import type { Answer } from './metrics.ts'

/** Random pods and metrics, near the edges where decisions turn. */

export const pick = <T>(random: RandomStream, items: readonly T[]): T => items[random.int(items.length)]!
export const chance = (random: RandomStream, share: number): boolean => random.next() < share

const PHASES = ['Running', 'Running', 'Running', 'Running', 'Running', 'Pending', 'Failed', 'Succeeded'] as const
const CPU = ['100m', '250m', '1', '1500m', '4'] as const
const MEMORY = ['128Mi', '1Gi', '1500M', '80Gi', '640Gi'] as const

/** Pods `p0`, `p1` … as they may be at `now`. At most one of them lacks a request, so that messages have one pod to name. */
export function drawPods(random: RandomStream, count: number, now: Us): o.Pod[] {
  const calm = chance(random, 0.4)
  const bad = chance(random, 0.05) ? random.int(count + 1) : -1
  return Array.from({ length: count }, (_, i) => {
    const phase = calm ? 'Running' : pick(random, PHASES)
    const startTime = toRfc3339(
      Math.max(0, now - seconds(pick(random, [0, 5, 29, 30, 31, 60, 119, 120, 121, 299, 300, 301, 900]))),
    )
    const ready: o.Condition = {
      type: 'Ready',
      status: calm || chance(random, 0.75) ? 'True' : pick(random, ['False', 'Unknown'] as const),
      lastTransitionTime: toRfc3339(
        Math.max(0, now - seconds(pick(random, [0, 10, 30, 31, 59, 60, 61, 100, 300, 890]))),
      ),
    }
    const status = {
      phase,
      ...(chance(random, 0.95) ? { startTime } : {}),
      ...(chance(random, 0.95) ? { conditions: [ready] } : {}),
    }
    const deleted = !calm && chance(random, 0.1) ? { deletionTimestamp: toRfc3339(now) } : {}
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `p${i}`, namespace: 'default', labels: { app: 'web' }, ...deleted },
      spec: drawSpec(random, i === bad),
      status,
    } as unknown as o.Pod
  })
}

function drawSpec(random: RandomStream, bad: boolean): unknown {
  const requests = () => ({ cpu: pick(random, CPU), memory: pick(random, MEMORY) })
  const container = (name: string) => ({ name, resources: bad ? {} : { requests: requests() } })
  const containers = chance(random, 0.7) ? [container('main')] : [container('main'), container('side')]
  const sidecar = chance(random, 0.1) ? { initContainers: [{ ...container('init'), restartPolicy: 'Always' }] } : {}
  const ofPod = chance(random, 0.1) ? { resources: { requests: requests() } } : {}
  return { containers, ...sidecar, ...ofPod }
}

const FACTORS = [0, 0.2, 0.5, 0.89, 0.9, 0.91, 0.95, 1, 1, 1.05, 1.09, 1.1, 1.11, 1.5, 2, 3, 10] as const

/** Values for most of the pods and sometimes for a pod nobody knows, about `level` each. */
export function drawPodAnswer(random: RandomStream, pods: readonly o.Pod[], level: number, now: Us): Answer {
  if (chance(random, 0.04)) return { error: 'the server is currently unable to handle the request' }
  const share = pick(random, FACTORS)
  const known = chance(random, 0.6) ? 1 : pick(random, [0, 0.5, 0.8])
  const windowUs = seconds(pick(random, [30, 60]))
  const sample = () => {
    const factor = chance(random, 0.7) ? share : pick(random, FACTORS)
    return {
      milli: Math.round(level * factor),
      at: Math.max(0, now - seconds(pick(random, [0, 5, 15, 30, 60]))),
      windowUs,
    }
  }
  const names = pods.map(({ metadata }) => metadata.name).filter(() => chance(random, known))
  if (chance(random, 0.05)) names.push('stranger')
  return { pods: Object.fromEntries(names.map((name) => [name, sample()])) }
}

/** Some series that come to about `level` together. */
export function drawSeries(random: RandomStream, level: number): Answer {
  if (chance(random, 0.05)) return { error: 'no metrics returned from external metrics API' }
  if (chance(random, 0.03)) return { series: [9e18, 9e18, 5] }
  const count = 1 + random.int(3)
  return { series: Array.from({ length: count }, () => Math.round((level * pick(random, FACTORS)) / count)) }
}

export function drawValue(random: RandomStream, level: number): Answer {
  if (chance(random, 0.05)) return { error: 'the server could not find the metric qps' }
  return { milli: Math.round(level * pick(random, FACTORS) * pick(random, [1, 1, 1, -1, 1000])) }
}
