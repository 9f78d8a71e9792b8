import type { RunningProgram } from '../../../nodes/program.ts'
import type { Levers } from '../../tier.ts'
import type { SandboxParts } from '../parts.ts'

/** A program whose engine can stop stepping. */
interface Stepping extends RunningProgram {
  hang(): void
  resume(): void
}

const steps = (program: RunningProgram): program is Stepping => 'hang' in program && 'resume' in program

export const engineHang =
  ({ programs }: SandboxParts): NonNullable<Levers['engine.hang']> =>
  (match) => {
    const hung = programs.of(match).filter(steps)
    for (const program of hung) program.hang()
    return () => {
      for (const program of hung) program.resume()
    }
  }
