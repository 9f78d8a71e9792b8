import type { Pod } from '../../kube/objects.ts'
import type { Program, RunningProgram } from '../../nodes/program.ts'

/** A program whose loading can be slowed down. */
interface Loading extends RunningProgram {
  setLoadFactor(factor: number): void
}

const loads = (program: RunningProgram): program is Loading => 'setLoadFactor' in program

/** The lever `engine.loadFactor`: which pods load slower, and by how much. Several at once multiply. */
export class LoadFactors {
  private readonly active = new Set<{ match: (pod: Pod) => boolean; factor: number }>()

  /** For containers that start from now on. Returns how to take it back. */
  set(match: (pod: Pod) => boolean, factor: number): () => void {
    const entry = { match, factor }
    this.active.add(entry)
    return () => this.active.delete(entry)
  }

  /** The program, slowed down at its start as it must be then. */
  around(program: Program, pod: Pod): Program {
    const factor = [...this.active].reduce(
      (product, { match, factor: one }) => (match(pod) ? product * one : product),
      1,
    )
    if (factor === 1) return program
    return {
      name: program.name,
      start(context) {
        const running = program.start(context)
        if (loads(running)) running.setLoadFactor(factor)
        return running
      },
    }
  }
}
