import type { Us } from '../../world/time.ts'
import type { PortAnswer } from '../program.ts'

/** What a command comes to. `afterUs` may be infinite. */
export interface CommandOutcome {
  readonly exitCode: number
  readonly afterUs: Us
}

/** Runs now; undefined where what it needs to know is not known. */
export type Command = (environment: CommandEnvironment) => CommandOutcome | undefined

/** What a command finds in its container. */
export interface CommandEnvironment {
  /** A GET to the pod's own address. Undefined: nobody can say what would answer. */
  get(
    port: number,
    path: string,
    scheme: 'HTTP' | 'HTTPS',
  ): (PortAnswer | { kind: 'wrong-scheme'; afterUs: Us }) | undefined
  /** Sends SIGTERM to the container's first process. */
  terminate(): void
  readonly gpus: number
  /** Whether a file is there; undefined where nobody knows. */
  hasFile(path: string): boolean | undefined
  touch(path: string): void
  /** The value of a variable of the container's environment; undefined where it is not known. */
  variable(name: string): string | undefined
}

/** Nothing but the words of a command is known. */
export const nowhere: CommandEnvironment = {
  get: () => undefined,
  terminate() {},
  gpus: 0,
  hasFile: () => undefined,
  touch() {},
  variable: () => undefined,
}
