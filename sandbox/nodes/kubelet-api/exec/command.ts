import type { Container } from '../../../kube/objects.ts'
import type { Task } from '../../../world/actor.ts'
import type { Us } from '../../../world/time.ts'
import type { HostedPod } from '../../hosted-pod.ts'
import type { NodeSpec } from '../../node-object.ts'

/** The container a command runs in, and what is around it. */
export interface ExecContext {
  readonly hosted: HostedPod
  readonly container: Container
  readonly node: Pick<NodeSpec, 'name' | 'gpu'>
  now(): Us
  /** Unix time in milliseconds of a time of the world. */
  unixMs(at: Us): number
}

/** What a command printed, and how it ended. */
export interface ExecOutcome {
  readonly exitCode: number
  readonly stdout?: string
  readonly stderr?: string
}

/** A command that containers have. */
export interface ExecCommand {
  /** Without a folder: `curl`. */
  readonly names: readonly string[]
  /** Runs `words`, the first of them its own name. Fails with a `NotSimulated`. */
  run(words: readonly string[], context: ExecContext): Task<ExecOutcome>
}

/** Nobody knows what the command would print. The message says why, and what to do instead. */
export class NotSimulated extends Error {
  override readonly name = 'NotSimulated'
}
