import { minutes, type Us } from '../../sandbox/world/time.ts'
import { totalRate } from '../load/workload.ts'
import type { Setup } from '../setup.ts'
import type { Invalid } from './verdict.ts'

/** The largest cluster Kubernetes is tested with (kubernetes.io/docs/setup/best-practices/cluster-large), and as much load. */
const NODES_MAX = 5000
const PODS_MAX = 150_000
const REQUESTS_PER_SECOND_MAX = 10_000
const SETTLES_MAX: Us = minutes(14 * 24 * 60)

/** Numbers a trial cannot be made from: nothing may be judged with them. */
export function badInputs(setup: Setup): Invalid[] {
  return [...notNumbersOf(setup), ...tooLarge(setup)]
}

function tooLarge({ nodes, objects, workload, settleBound }: Setup): Invalid[] {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const pods = sum(objects.map((object) => ((object as { spec?: { replicas?: number } }).spec?.replicas ?? 1) || 0))
  const figures: readonly (readonly [what: string, amount: number, max: number, text: string])[] = [
    ['nodes', sum(nodes.map(({ count }) => count)), NODES_MAX, `${NODES_MAX} nodes`],
    ['pods', pods, PODS_MAX, `${PODS_MAX} pods`],
    ['requests a second', totalRate(workload), REQUESTS_PER_SECOND_MAX, `${REQUESTS_PER_SECOND_MAX} requests a second`],
    ['time to settle', settleBound(1), SETTLES_MAX, 'two weeks to settle'],
  ]
  return figures
    .filter(([, amount, max]) => amount > max)
    .map(([what, , , most]) => ({
      code: 'TOO_LARGE',
      what: `more ${what} than can be tried: ${most} at most`,
      fix: 'Look at nodes, replicas, rates and load times in seatrial.yaml and the manifests; try a part of the platform.',
    }))
}

function notNumbersOf({ workload, settleBound, registryBytesPerSecond, replicasNeeded }: Setup): Invalid[] {
  const numbers = { workload, registryBytesPerSecond, replicasNeeded, settleBoundUs: settleBound(1) }
  return [...notNumbers(numbers, '')].map((name) => ({
    code: 'NOT_A_NUMBER',
    what: `${name.slice(1)} is not a number`,
    fix: 'Look at the workload and the sizes in seatrial.yaml.',
  }))
}

function* notNumbers(value: unknown, path: string): Generator<string> {
  if (typeof value === 'number' && !Number.isFinite(value)) yield path
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) yield* notNumbers(inner, `${path}.${key}`)
}
