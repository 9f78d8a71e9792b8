import type { Us } from '../../world/time.ts'
import { commandOf } from './commands.ts'
import type { Awaited, CommandEnvironment } from './environment.ts'
import { type Node, parseScript } from './parse.ts'
import type { Variable } from './tokens.ts'

/**
 * A command under way: it gives how long it waits, or what it waits for and is to be resumed with the exit code of, and in the end its own exit code;
 * undefined where it cannot be modelled.
 */
export type Run = Generator<Us | Awaited, number | undefined, number | undefined>

/** A command that is understood, ready to run. */
export type Script = (environment: CommandEnvironment) => Run

const SHELLS = new Set(['sh', 'bash', 'ash', 'dash'])

/**
 * What the runtime says where a whole command line stands as one word, and no program has such a name; undefined for any other. Follows
 * Go's os/exec, by which runc looks for it.
 */
export function noSuchProgram([first = '']: readonly string[]): string | undefined {
  if (!/\s/.test(first.trim())) return undefined
  return first.includes('/')
    ? `exec: "${first}": stat ${first}: no such file or directory`
    : `exec: "${first}": executable file not found in $PATH`
}

/** What a command line does; undefined when a part of it is not understood. */
export function scriptOf(command: readonly string[], variable?: Variable): Script | undefined {
  const [first, ...rest] = command
  if (first === undefined) return undefined
  if (noSuchProgram(command)) return notStarted
  const name = first.slice(first.lastIndexOf('/') + 1)
  if (name === 'timeout' || name === 'exec' || !SHELLS.has(name)) {
    const node: Node = { kind: 'simple', words: command }
    return isUnderstood(node) ? (environment) => run(node, environment) : undefined
  }
  const flag = rest.findIndex((word) => /^-[a-z]*c$/.test(word))
  if (flag < 0 || rest.slice(0, flag).some((word) => !/^-[a-z]+$/.test(word))) return undefined
  const node = parseScript(rest[flag + 1] ?? '', variable)
  if (!node || !isUnderstood(node)) return undefined
  const stopsAtFailure = rest.slice(0, flag + 1).some((word) => word.includes('e'))
  return (environment) => run(node, environment, stopsAtFailure)
}

function* notStarted(): Run {
  return 127
}

function isUnderstood(node: Node): boolean {
  switch (node.kind) {
    case 'simple':
      return isExit(node.words) || commandOf(wordsOf(node.words)) !== undefined
    case 'list':
      return node.items.every(isUnderstood)
    case 'and':
    case 'or':
      return isUnderstood(node.left) && isUnderstood(node.right)
    case 'not':
    case 'times':
      return isUnderstood(node.body)
    case 'if':
      return isUnderstood(node.test) && isUnderstood(node.yes) && (!node.no || isUnderstood(node.no))
    case 'loop':
      return isUnderstood(node.test) && isUnderstood(node.body)
  }
}

const wordsOf = (words: readonly string[]): readonly string[] => (words[0] === 'exec' ? words.slice(1) : words)
const isExit = (words: readonly string[]): boolean =>
  words[0] === 'exit' && words.length <= 2 && /^\d*$/.test(words[1] ?? '')

/** `exit` ends the whole script. */
class Exited {
  readonly code: number

  constructor(code: number) {
    this.code = code
  }
}

class NotModelled {}

function* run(node: Node, environment: CommandEnvironment, stopsAtFailure = false): Run {
  try {
    return yield* evaluate(node, { environment, last: 0, stopsAtFailure }, false)
  } catch (thrown) {
    if (thrown instanceof Exited) return thrown.code
    if (thrown instanceof NotModelled) return undefined
    throw thrown
  }
}

interface State {
  readonly environment: CommandEnvironment
  last: number
  /** `set -e`. */
  stopsAtFailure: boolean
}

type Evaluation = Generator<Us | Awaited, number, number | undefined>

/** `tested`: something looks at whether it fails, so that `set -e` does not. */
function* evaluate(node: Node, state: State, tested: boolean): Evaluation {
  switch (node.kind) {
    case 'simple':
      state.last = yield* simple(node.words, state)
      if (state.last !== 0 && state.stopsAtFailure && !tested) throw new Exited(state.last)
      return state.last
    case 'list': {
      let code = 0
      for (const item of node.items) code = yield* evaluate(item, state, tested)
      return code
    }
    case 'and':
    case 'or': {
      const code = yield* evaluate(node.left, state, true)
      return (code === 0) === (node.kind === 'and') ? yield* evaluate(node.right, state, tested) : code
    }
    case 'not':
      return (yield* evaluate(node.body, state, true)) === 0 ? 1 : 0
    case 'if':
      if ((yield* evaluate(node.test, state, true)) === 0) return yield* evaluate(node.yes, state, tested)
      return node.no ? yield* evaluate(node.no, state, tested) : 0
    case 'times': {
      let code = 0
      for (let i = 0; i < node.count; i++) code = yield* evaluate(node.body, state, tested)
      return code
    }
    case 'loop':
      return yield* loop(node, state, tested)
  }
}

/** What a turn takes besides its commands: a process or two. */
const TURN: Us = 1000

function* loop(node: Extract<Node, { kind: 'loop' }>, state: State, tested: boolean): Evaluation {
  let code = 0
  while (((yield* evaluate(node.test, state, true)) === 0) !== node.until) {
    code = yield* evaluate(node.body, state, tested)
    yield TURN
  }
  return code
}

function* simple(words: readonly string[], state: State): Evaluation {
  if (words[0] === 'exit') throw new Exited(words[1] ? Number(words[1]) & 255 : state.last)
  if (words[0] === 'set' && words.slice(1).some((word) => /^-[a-z]*e/.test(word))) state.stopsAtFailure = true
  const outcome = commandOf(wordsOf(words))!(state.environment)
  if (!outcome) throw new NotModelled()
  let exitCode: number
  if ('begin' in outcome) exitCode = (yield outcome) ?? outcome.timedOut
  else {
    exitCode = outcome.exitCode
    if (outcome.afterUs > 0) yield outcome.afterUs
  }
  if (words[0] === 'exec') throw new Exited(exitCode)
  return exitCode
}
