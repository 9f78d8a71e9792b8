import { perform, type Task } from '../../../world/actor.ts'
import { execIn } from '../../pod-access.ts'
import { type ExecCommand, type ExecContext, type ExecOutcome, NotSimulated } from './command.ts'

/** Commands that print nothing, as hooks and probes run them. */
export const quietCommand: ExecCommand = {
  names: ['true', 'false', ':', 'sleep', 'test', '[', 'kill', 'sync', 'touch'],
  *run(words, context) {
    return { exitCode: yield* exitCodeOf(words, context) }
  },
}

/** Runs a command to its end; 137 where the container ends before it. Fails with a `NotSimulated`. */
function* exitCodeOf(words: readonly string[], { hosted: { runtime }, container }: ExecContext): Task<number> {
  const outcome = execIn(runtime, container, words)
  if (!outcome) throw new NotSimulated(`what \`${words.join(' ')}\` would do is not simulated`)
  if ('goOn' in outcome)
    return yield* perform<number>({
      start: (clock, resume) => outcome.goOn(clock, (exitCode) => resume(exitCode ?? 126)),
    })
  return yield* after(outcome.afterUs, outcome.exitCode, { runtime, container })
}

/** A process in a container dies with the first one. */
export function* after(
  takesUs: number,
  exitCode: number,
  { runtime, container }: { runtime: ExecContext['hosted']['runtime']; container: { name: string } },
): Task<ExecOutcome['exitCode']> {
  const target = runtime.running(container.name)
  if (!target) return 137
  if (takesUs <= 0) return exitCode
  const died = yield* target.exited.waitFor(Number.isFinite(takesUs) ? takesUs : undefined)
  return died ? 137 : exitCode
}
