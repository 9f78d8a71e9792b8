import type { Us } from '../world/time.ts'
import type { PodRuntime } from './pod-runtime.ts'
import type { RunningProgram } from './program.ts'

/** A program with a part of its own that uses the devices, and that can outlive it. */
interface Crashing extends RunningProgram {
  crashEngine(): void
}

const crashes = (program: RunningProgram): program is Crashing => 'crashEngine' in program

/**
 * What a process does when a device fails under it: an inference server loses its engine, answers errors and ends; any other
 * ends with its first failed call, exit code 1.
 */
export function failProcess(runtime: PodRuntime, container: string, now: Us): void {
  const target = runtime.running(container)
  const program = target?.program
  if (!target || !program) return
  if (crashes(program)) {
    program.crashEngine()
    return
  }
  program.signal('SIGKILL')
  runtime.exit(target, { at: now, exitCode: 1 })
}
