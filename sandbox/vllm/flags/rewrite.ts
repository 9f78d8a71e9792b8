import type { VllmFlagTable } from '../../../fixtures/vllm/index.ts'
import { humanInt } from './values.ts'

/** The server's parser ended before argparse read anything: an exception with a traceback, not a usage error. */
export class CommandLineException extends Error {}

/** Arguments as argparse gets them, and what was warned about on the way. */
export interface Rewritten {
  readonly args: readonly string[]
  readonly warnings: readonly string[]
}

const PYTHON_MODEL_WARNING =
  'With `vllm serve`, you should provide the model as a positional argument or in a config file instead of via the `--model` option. The `--model` option will be removed in a future version.'

/**
 * What vLLM's own parser does before argparse: moves `--model` to the front, turns `_` into `-` in names, `-O3` into its
 * long form, and gathers `--flag.key value` into one JSON value.
 */
// follows vllm/utils/argparse_utils.py FlexibleArgumentParser.parse_args
export function rewriteArguments(input: readonly string[], form: 'serve' | 'module', table: VllmFlagTable): Rewritten {
  const warnings: string[] = []
  const moved = form === 'serve' ? moveModel(input, table, warnings) : input
  const dashed = moved.flatMap((arg, i) => normalise(arg, moved[i + 1], table))
  if (!table.dialect.dotted) return { args: dashed, warnings }
  return { args: gatherDotted(dashed, warnings), warnings }
}

function moveModel(input: readonly string[], table: VllmFlagTable, warnings: string[]): readonly string[] {
  const { serveModelFlag } = table.dialect
  if (serveModelFlag === 'refused' && input.includes('--model'))
    throw new CommandLineException(
      'ValueError: With `vllm serve`, you should provide the model as a positional argument or in a config file instead of via the `--model` option.',
    )
  const index = input.findIndex((arg) => /^--model(=.+|$)/.test(arg))
  let args = input
  if (serveModelFlag === 'moved' && index >= 0) {
    warnings.push(PYTHON_MODEL_WARNING)
    const separate = input[index] === '--model'
    if (separate && input[index + 1] === undefined)
      throw new CommandLineException('IndexError: list index out of range')
    const model = separate ? input[index + 1]! : input[index]!.slice('--model='.length)
    args = [model, ...input.slice(0, index), ...input.slice(index + (separate ? 2 : 1))]
  }
  const named = args.some((arg) => /^--served[-_]model[-_]name(=.+|$)/.test(arg))
  if (serveModelFlag === 'moved' && args[0]?.startsWith('-') && named && !args.some((a) => /^--config(=.+|$)/.test(a)))
    throw new CommandLineException(
      'ValueError: `model` should be provided as the first positional argument when using `vllm serve`. i.e. `vllm serve <model> --<arg> <value>`.',
    )
  return args
}

function normalise(arg: string, next: string | undefined, table: VllmFlagTable): string[] {
  const long = table.dialect.optimizationLevel
  if (arg.startsWith('--help=')) return ['--help']
  if (arg.startsWith('--')) {
    const equals = arg.indexOf('=')
    const key = equals < 0 ? arg : arg.slice(0, equals)
    const dot = table.dialect.dotted ? key.indexOf('.') : -1
    const name = dot < 0 ? key : key.slice(0, dot)
    return [name.replaceAll('_', '-') + arg.slice(name.length)]
  }
  if (!arg.startsWith('-O')) return [arg]
  if (long === '-O') return arg.length === 3 ? ['-O', arg.slice(2)] : [arg]
  if (arg === '-O') return next !== undefined && /^[0-3]$/.test(next) ? [long] : [arg]
  if (arg[2] === '.' && long.startsWith('-O.')) return [arg]
  const level = arg.slice(arg[2] === '=' ? 3 : 2)
  return long.startsWith('-O.') ? [`${long}=${level}`] : [long, level]
}

type Json = Record<string, unknown>

function gatherDotted(args: readonly string[], warnings: string[]): string[] {
  const kept: string[] = []
  const gathered = new Map<string, Json>()
  const seen = new Set<string>()
  const duplicates = new Set<string>()
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    const equals = arg.indexOf('=')
    let name = equals < 0 ? arg : arg.slice(0, equals)
    if (!arg.startsWith('-') || !name.includes('.') || /^-[\d.]/.test(arg)) {
      if (arg.startsWith('--') && seen.has(name)) duplicates.add(name)
      if (arg.startsWith('--')) seen.add(name)
      kept.push(arg)
      continue
    }
    let text = equals < 0 ? args[++i] : arg.slice(equals + 1)
    if (text === undefined) throw new CommandLineException('IndexError: list index out of range')
    if (name.endsWith('+')) {
      name = name.slice(0, -1)
      text = pythonJson(text.split(','))
    }
    const [key, ...path] = name.split('.') as [string, ...string[]]
    const target = gathered.get(key) ?? {}
    gathered.set(key, target)
    const nested = path.reduceRight<unknown>((value, part) => ({ [part]: value }), dottedValue(text)) as Json
    for (const duplicate of merge(target, nested)) duplicates.add(`${key}.${duplicate}`)
  }
  if (duplicates.size > 0) warnings.push(`Found duplicate keys ${[...duplicates].join(', ')}`)
  for (const [key, value] of gathered) kept.push(key, pythonJson(value))
  return kept
}

/** JSON with the blanks Python's json.dumps puts in: it shows in messages. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (!isObject(value)) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}: ${pythonJson(inner)}`)
    .join(', ')}}`
}

function dottedValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    try {
      return humanInt(text) ?? text
    } catch {
      return text
    }
  }
}

const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value)

function merge(into: Json, from: Json): string[] {
  return Object.entries(from).flatMap(([key, value]) => {
    const present = into[key]
    if (isObject(value) && isObject(present)) return merge(present, value).map((inner) => `${key}.${inner}`)
    if (Array.isArray(value) && Array.isArray(present)) {
      present.push(...value)
      return []
    }
    const duplicate = key in into
    into[key] = value
    return duplicate ? [key] : []
  })
}
