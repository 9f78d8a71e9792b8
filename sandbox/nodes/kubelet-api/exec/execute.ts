import type { Task } from '../../../world/actor.ts'
import { type Token, tokensOf } from '../../shell/tokens.ts'
import { type ExecContext, type ExecOutcome, NotSimulated } from './command.ts'
import { variablesOf } from './env.ts'
import { commands } from './index.ts'

/** A command that cannot be run: the code of one that is there and cannot be executed. */
const NOT_SIMULATED = 126

/** Runs a command line in a simulated container. What is not simulated is told on standard error, with exit code 126. */
export function* execute(words: readonly string[], context: ExecContext): Task<ExecOutcome> {
  try {
    return yield* run(words, context)
  } catch (error) {
    if (!(error instanceof NotSimulated)) throw error
    return { exitCode: NOT_SIMULATED, stderr: `seatrial: ${error.message}\n` }
  }
}

const SHELL = /^(.*\/)?(sh|bash|ash|dash)$/

function* run(words: readonly string[], context: ExecContext): Task<ExecOutcome> {
  const [first = '', flag, script, ...more] = words
  if (!SHELL.test(first)) return yield* simple(words, context)
  if (flag === undefined || !/^-[a-z]*c$/.test(flag) || script === undefined || more.length > 0)
    throw new NotSimulated(`no shell is simulated. Run one command, or \`sh -c\` with a few: ${known()}`)
  return yield* list(script, context)
}

/** Commands one after another: `a; b`, `a && b`, `a || b`. */
function* list(script: string, context: ExecContext): Task<ExecOutcome> {
  const { values } = variablesOf(context)
  const tokens = script.includes('>') ? undefined : tokensOf(script, (name) => values.get(name))
  if (!tokens || tokens.some(({ text }) => text === '(' || text === ')'))
    throw new NotSimulated('of shell scripts, commands joined by ; && || are simulated')
  let whole: Required<ExecOutcome> = { exitCode: 0, stdout: '', stderr: '' }
  for (const { joined, words } of sequence(tokens)) {
    if (joined === '&&' ? whole.exitCode !== 0 : joined === '||' && whole.exitCode === 0) continue
    const { exitCode, stdout = '', stderr = '' } = yield* simple(words, context)
    whole = { exitCode, stdout: whole.stdout + stdout, stderr: whole.stderr + stderr }
  }
  return whole
}

function sequence(tokens: readonly Token[]): readonly { joined: string; words: string[] }[] {
  const found = [{ joined: ';', words: [] as string[] }]
  for (const { kind, text } of tokens)
    if (kind === 'operator') found.push({ joined: text, words: [] })
    else found.at(-1)!.words.push(text)
  return found.filter(({ words }) => words.length > 0)
}

function* simple(words: readonly string[], context: ExecContext): Task<ExecOutcome> {
  const [first = ''] = words
  const name = first.slice(first.lastIndexOf('/') + 1)
  const command = commands.find(({ names }) => names.includes(name))
  if (!command) throw new NotSimulated(`\`${first}\` is not simulated in a container. Simulated are ${known()}`)
  return yield* command.run(words, context)
}

const known = (): string =>
  commands
    .flatMap(({ names }) => names)
    .filter((name) => /\w/.test(name))
    .sort()
    .join(', ')
