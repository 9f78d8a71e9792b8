import type { Pod } from '../../kube/objects.ts'
import type { Program, ProgramContext, RunningProgram } from '../../nodes/program.ts'

type OnStart = (program: RunningProgram, pod: Pod) => void

/** The programs that run in the cluster's containers now, for the levers that act on them. */
export class RunningPrograms {
  private readonly pods = new Map<RunningProgram, Pod>()
  private readonly onStarts = new Set<OnStart>()

  /** The program, known here while it runs. */
  around(program: Program, pod: Pod): Program {
    return { name: program.name, start: (context) => this.start(program, pod, context) }
  }

  /** Those of matching pods, in the order in which they started. */
  of(match: (pod: Pod) => boolean): RunningProgram[] {
    return [...this.pods].flatMap(([program, pod]) => (match(pod) ? [program] : []))
  }

  /** Called for each program that starts from now on, at its start. Returns how to end that. */
  onStart(act: OnStart): () => void {
    this.onStarts.add(act)
    return () => this.onStarts.delete(act)
  }

  private start(program: Program, pod: Pod, context: ProgramContext): RunningProgram {
    let running: RunningProgram | undefined
    let ended = false
    const exit = (code: number) => {
      ended = true
      if (running) this.pods.delete(running)
      context.exit(code)
    }
    running = program.start({ ...context, exit })
    if (ended) return running
    this.pods.set(running, pod)
    this.forgetWhenKilled(running)
    for (const act of this.onStarts) act(running, pod)
    return running
  }

  /** A killed program says nothing when it ends. */
  private forgetWhenKilled(program: RunningProgram): void {
    const signal = program.signal.bind(program)
    program.signal = (name) => {
      if (name === 'SIGKILL') this.pods.delete(program)
      signal(name)
    }
  }
}
