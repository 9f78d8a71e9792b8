import type { Us } from '../world/time.ts'
import { type CommandEnvironment, type CommandOutcome, nowhere } from './shell/environment.ts'
import { scriptOf } from './shell/run.ts'

export type { CommandOutcome } from './shell/environment.ts'

/** Waits after which a command that has not ended is taken never to end. */
const WAITS_MAX = 20_000

/**
 * What a command comes to, as far as its words alone say: `sleep`, `true`, `false`, `echo`, `exit`, and scripts of them.
 * Undefined for all others.
 */
export const understand = (command: readonly string[]): CommandOutcome | undefined => outcomeNow(command, nowhere)

/**
 * What a command comes to when everything it looks at stays as it is now. `limit`: a caller stops waiting then, so that all
 * beyond it counts as never ending. Undefined when it is not understood, or needs what nobody knows.
 */
export function outcomeNow(
  command: readonly string[],
  environment: CommandEnvironment,
  limit: Us = Number.POSITIVE_INFINITY,
): CommandOutcome | undefined {
  const run = scriptOf(command, environment.variable)?.(environment)
  if (!run) return undefined
  let afterUs = 0
  for (let waits = 0; ; waits++) {
    const step = run.next()
    if (step.done) return step.value === undefined ? undefined : { exitCode: step.value, afterUs }
    afterUs += step.value
    if (afterUs > limit || waits > WAITS_MAX || !Number.isFinite(afterUs))
      return { exitCode: 0, afterUs: Number.POSITIVE_INFINITY }
  }
}

/** What of a container is known before it runs. */
export interface KnownContext {
  readonly variables?: Readonly<Record<string, string>>
  /** Whether something in the pod answers on a port as its program is modelled to. Left out: yes, for all. */
  serves?(port: number): boolean
}

/**
 * Whether a command of a probe, a hook or an init container is run as in a cluster. False also where it depends on something
 * only the run could tell, as on files nobody has described.
 */
export function understands(command: readonly string[], context: KnownContext = {}): boolean {
  const { variables = {}, serves = () => true } = context
  const script = scriptOf(command, (name) => variables[name])
  if (!script) return false
  // each of the answers a server may give, so that every branch is gone through
  return [200, 503, undefined].every((status) => {
    const environment: CommandEnvironment = {
      ...nowhere,
      gpus: 1,
      variable: (name) => variables[name],
      hasFile: standardFile,
      get(port) {
        if (!serves(port)) return undefined
        return status === undefined ? { kind: 'refused' } : { kind: 'answer', status, afterUs: 0 }
      },
    }
    return outcomeNow(command, environment) !== undefined
  })
}

const STANDARD = new Set([
  '/dev/null',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/proc/1/cmdline',
  '/proc/self',
])

/** Files every container has; undefined for the others. */
export const standardFile = (path: string): boolean | undefined => (STANDARD.has(path) ? true : undefined)
