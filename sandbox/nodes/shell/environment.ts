import type { Us } from '../../world/time.ts'
import type { PortAnswer, PostRequest } from '../program.ts'

/** What a command comes to. `afterUs` may be infinite. */
export interface CommandOutcome {
  readonly exitCode: number
  readonly afterUs: Us
}

/** A command whose end depends on what is still to happen. */
export interface Awaited {
  /** Begins what it waits for. Returns how to give it up. */
  begin(ended: (exitCode: number) => void): () => void
  /** When it gives up by itself, and its exit code then. */
  readonly timeoutUs: Us
  readonly timedOut: number
}

/** Runs now; undefined where what it needs to know is not known. */
export type Command = (environment: CommandEnvironment) => CommandOutcome | Awaited | undefined

/** What a server in the pod answers; `wrong-scheme`: one side speaks TLS and the other does not. */
export type LocalAnswer = PortAnswer | { kind: 'wrong-scheme'; afterUs: Us }

/** What answers when it is ready. */
export interface AnswersLater {
  readonly kind: 'later'
  begin(answered: (answer: PortAnswer) => void): () => void
}

/** What a command finds in its container. */
export interface CommandEnvironment {
  /** A GET to the pod's own address. Undefined: nobody can say what would answer. */
  get(port: number, path: string, scheme: 'HTTP' | 'HTTPS'): LocalAnswer | undefined
  /** A POST to it, likewise. */
  post(port: number, request: PostRequest, scheme: 'HTTP' | 'HTTPS'): LocalAnswer | AnswersLater | undefined
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
  post: () => undefined,
  terminate() {},
  gpus: 0,
  hasFile: () => undefined,
  touch() {},
  variable: () => undefined,
}
