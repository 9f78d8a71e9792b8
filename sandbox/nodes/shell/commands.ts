import { ms, seconds } from '../../world/time.ts'
import type { Command, CommandEnvironment } from './environment.ts'
import { curl, wget } from './http-clients.ts'

const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86400 }
/** What nvidia-smi takes with its driver loaded: an estimate. */
const NVIDIA_SMI = ms(500)

const exits =
  (code: number): Command =>
  () => ({ exitCode: code, afterUs: 0 })

/** What a command without a shell does; undefined for those whose outcome does not follow from what is known. */
export function commandOf([first, ...args]: readonly string[]): Command | undefined {
  if (first === undefined) return undefined
  const name = first.slice(first.lastIndexOf('/') + 1)
  switch (name) {
    case 'true':
    case ':':
    case 'echo':
    case 'printf':
    case 'date':
    case 'sync':
      return exits(0)
    case 'set':
      return args.every((arg) => /^[-+][euxo]+$|^pipefail$/.test(arg)) ? exits(0) : undefined
    case 'false':
      return exits(1)
    case 'sleep':
      return sleeping(args)
    case 'test':
      return condition(args)
    case '[':
      return args.at(-1) === ']' ? condition(args.slice(0, -1)) : undefined
    case '[[':
      return args.at(-1) === ']]' ? condition(args.slice(0, -1)) : undefined
    case 'cat':
    case 'ls':
      return existing(args, 1)
    case 'touch':
      return touching(args)
    case 'kill':
      return signalling(args)
    case 'curl':
      return curl(args)
    case 'wget':
      return wget(args)
    case 'nvidia-smi':
      return ({ gpus }) => (gpus > 0 ? { exitCode: 0, afterUs: NVIDIA_SMI } : { exitCode: 127, afterUs: 0 })
    default:
      return undefined
  }
}

function sleeping(args: readonly string[]): Command | undefined {
  let total = 0
  for (const arg of args) {
    const match = /^(\d+(?:\.\d+)?|\.\d+)([smhd]?)$/.exec(arg)
    if (arg === 'infinity' || arg === 'inf') total = Number.POSITIVE_INFINITY
    else if (match) total += Number(match[1]) * UNIT_SECONDS[match[2]!]!
    else return undefined
  }
  if (args.length === 0) return undefined
  const afterUs = Number.isFinite(total) ? seconds(total) : total
  return () => ({ exitCode: 0, afterUs })
}

/** `test`: files, strings and numbers. */
function condition(args: readonly string[]): Command | undefined {
  if (args[0] === '!') {
    const inner = condition(args.slice(1))
    return (
      inner &&
      ((environment) => {
        const outcome = inner(environment)
        if (!outcome || 'begin' in outcome) return undefined
        return { ...outcome, exitCode: outcome.exitCode === 0 ? 1 : 0 }
      })
    )
  }
  const [a = '', b = '', c = ''] = args
  const truth = (value: boolean) => exits(value ? 0 : 1)
  if (args.length === 2 && /^-[efrs]$/.test(a)) return existing([b], 1)
  if (args.length === 2 && (a === '-n' || a === '-z')) return truth((b === '') === (a === '-z'))
  if (args.length === 1) return truth(a !== '')
  if (args.length !== 3) return undefined
  if (b === '=' || b === '==') return truth(a === c)
  if (b === '!=') return truth(a !== c)
  const compare = COMPARISONS[b]
  return compare && /^-?\d+$/.test(a) && /^-?\d+$/.test(c) ? truth(compare(Number(a), Number(c))) : undefined
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '-eq': (a, b) => a === b,
  '-ne': (a, b) => a !== b,
  '-lt': (a, b) => a < b,
  '-le': (a, b) => a <= b,
  '-gt': (a, b) => a > b,
  '-ge': (a, b) => a >= b,
}

/** Succeeds when the files are there; what nobody knows of is not modelled. */
function existing(args: readonly string[], missingCode: number): Command | undefined {
  const paths = args.filter((arg) => !arg.startsWith('-'))
  if (paths.length === 0 || paths.some((path) => !path.startsWith('/'))) return undefined
  return ({ hasFile }) => {
    const known = paths.map(hasFile)
    if (known.includes(undefined)) return undefined
    return { exitCode: known.includes(false) ? missingCode : 0, afterUs: 0 }
  }
}

function touching(paths: readonly string[]): Command | undefined {
  if (paths.length === 0 || paths.some((path) => !path.startsWith('/'))) return undefined
  return ({ touch }) => {
    for (const path of paths) touch(path)
    return { exitCode: 0, afterUs: 0 }
  }
}

/**
 * `kill` of the container's first process. A SIGKILL from inside the container does not reach it: the kernel spares the first
 * process of a PID namespace from signals it does not handle.
 */
function signalling(args: readonly string[]): Command | undefined {
  const [first = '', second = '', third = ''] = args
  const [signal, process] =
    args.length === 1
      ? ['TERM', first]
      : first === '-s' && args.length === 3
        ? [second, third]
        : [first.slice(1), second]
  if (process !== '1' || (args.length === 2 && !first.startsWith('-'))) return undefined
  const name = signal.replace(/^SIG/, '')
  if (name === '0' || name === 'KILL' || name === '9') return exits(0)
  if (name !== 'TERM' && name !== '15') return undefined
  return (environment: CommandEnvironment) => {
    environment.terminate()
    return { exitCode: 0, afterUs: 0 }
  }
}
