import type { Clock } from '../world/clock.ts'
import type { Us } from '../world/time.ts'
import {
  type Awaited,
  type CommandEnvironment,
  type CommandOutcome,
  type LocalAnswer,
  nowhere,
} from './shell/environment.ts'
import { type Run, scriptOf } from './shell/run.ts'

export type { CommandOutcome } from './shell/environment.ts'

/** Waits after which a command that has not ended is taken never to end. */
const WAITS_MAX = 20_000

/**
 * What a command comes to, as far as its words alone say: `sleep`, `true`, `false`, `echo`, `exit`, and scripts of them.
 * Undefined for all others.
 */
export const understand = (command: readonly string[]): CommandOutcome | undefined => outcomeNow(command, nowhere)

/** A command that waits for what is still to happen. */
export interface UnderWay {
  /** Goes on from now; told the exit code in the end, undefined where it cannot be modelled. Returns how to give it up. */
  goOn(clock: Clock, ended: (exitCode: number | undefined) => void): () => void
}

/**
 * What a command comes to when everything it looks at stays as it is now. `limit`: a caller stops waiting then, so that all
 * beyond it counts as never ending. Undefined when it is not understood, or needs what nobody knows.
 */
export function outcomeNow(
  command: readonly string[],
  environment: CommandEnvironment,
  limit: Us = Number.POSITIVE_INFINITY,
): CommandOutcome | undefined {
  const outcome = outcomeOf(command, environment, limit)
  return outcome && 'goOn' in outcome ? undefined : outcome
}

/** The same, and what has begun where the outcome is not to be known now. */
export function outcomeOf(
  command: readonly string[],
  environment: CommandEnvironment,
  limit: Us = Number.POSITIVE_INFINITY,
): CommandOutcome | UnderWay | undefined {
  const run = scriptOf(command, environment.variable)?.(environment)
  if (!run) return undefined
  let afterUs = 0
  for (let waits = 0; ; waits++) {
    const step = run.next()
    if (step.done) return step.value === undefined ? undefined : { exitCode: step.value, afterUs }
    const { value } = step
    if (typeof value !== 'number') return { goOn: (clock, ended) => follow({ run, clock, ended }, afterUs, value) }
    afterUs += value
    if (afterUs > limit || waits > WAITS_MAX || !Number.isFinite(afterUs))
      return { exitCode: 0, afterUs: Number.POSITIVE_INFINITY }
  }
}

interface Following {
  readonly run: Run
  readonly clock: Clock
  readonly ended: (exitCode: number | undefined) => void
}

/** Waits `delay`, then for what is awaited, and goes on with the command to its end. */
function follow({ run, clock, ended }: Following, delay: Us, first: Awaited): () => void {
  let stop: () => void
  const on = (step: ReturnType<Run['next']>): void => {
    if (step.done) ended(step.value)
    else if (typeof step.value === 'number') wait(step.value, () => on(run.next()))
    else stop = awaitOne(step.value, clock, (exitCode) => on(run.next(exitCode)))
  }
  const wait = (us: Us, then: () => void): void => {
    const timer = Number.isFinite(us) ? clock.after(us, then) : undefined
    stop = () => timer?.cancel()
  }
  stop = () => undefined
  wait(delay, () => on({ done: false, value: first }))
  return () => stop()
}

/** Waits for it as long as it waits itself. Returns how to give it up. */
export function awaitOne(awaited: Awaited, clock: Clock, ended: (exitCode: number) => void): () => void {
  let hangUp: () => void = () => undefined
  const { timeoutUs, timedOut } = awaited
  const timer = Number.isFinite(timeoutUs)
    ? clock.after(timeoutUs, () => {
        hangUp()
        ended(timedOut)
      })
    : undefined
  hangUp = awaited.begin((exitCode) => {
    timer?.cancel()
    ended(exitCode)
  })
  return () => {
    timer?.cancel()
    hangUp()
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
    const answer = (port: number): LocalAnswer | undefined => {
      if (!serves(port)) return undefined
      return status === undefined ? { kind: 'refused' } : { kind: 'answer', status, afterUs: 0 }
    }
    const environment: CommandEnvironment = {
      ...nowhere,
      gpus: 1,
      variable: (name) => variables[name],
      hasFile: standardFile,
      get: answer,
      post: answer,
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
