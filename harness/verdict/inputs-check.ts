import type { Setup } from '../setup.ts'
import type { Invalid } from './verdict.ts'

/** Numbers a trial cannot be made from: nothing may be judged with them. */
export function badInputs({ workload, settleBound, registryBytesPerSecond, replicasNeeded }: Setup): Invalid[] {
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
