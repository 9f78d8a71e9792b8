import type { Pod } from '../../../kube/objects.ts'
import type { RunningProgram } from '../../../nodes/program.ts'
import type { Levers } from '../../tier.ts'
import type { SandboxParts } from '../parts.ts'

/** A program whose loading can be slowed down. */
interface Loading extends RunningProgram {
  setLoadFactor(factor: number): void
}

const loads = (program: RunningProgram): program is Loading => 'setLoadFactor' in program

/** Several at once multiply; what is loading already keeps its pace. */
export function engineLoadFactor({ programs }: SandboxParts): NonNullable<Levers['engine.loadFactor']> {
  const active = new Set<{ match: (pod: Pod) => boolean; factor: number }>()
  programs.onStart((program, pod) => {
    if (!loads(program)) return
    let product = 1
    for (const { match, factor } of active) if (match(pod)) product *= factor
    if (product !== 1) program.setLoadFactor(product)
  })
  return (match, factor) => {
    const entry = { match, factor }
    active.add(entry)
    return () => active.delete(entry)
  }
}
