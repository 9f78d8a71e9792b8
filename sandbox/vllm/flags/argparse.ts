import type { VllmFlag, VllmFlagTable } from '../../../fixtures/vllm/index.ts'
import { readValue, ValueRefused } from './values.ts'

/** The outcome of argparse: values by `dest` (only the given ones), or the message it ends with. */
export type ParseOutcome =
  | { readonly ok: true; readonly given: ReadonlyMap<string, unknown>; readonly model?: string; readonly help: boolean }
  | { readonly ok: false; readonly message: string; readonly flag?: string; readonly unrecognised?: readonly string[] }

/** An argument given an `option string`: its flag, all spellings, and whether this spelling negates. */
interface Option {
  readonly key: string
  readonly flag: VllmFlag
  readonly negates: boolean
}

class ParseError extends Error {
  readonly flag: string | undefined

  constructor(message: string, flag?: string) {
    super(message)
    this.flag = flag
  }
}

/** Parses as Python's argparse does with this table: order, abbreviations, nargs, explicit values, `--`, leftovers. */
// follows CPython Lib/argparse.py _parse_known_args
export function parseArguments(args: readonly string[], form: 'serve' | 'module', table: VllmFlagTable): ParseOutcome {
  const parser = new Parser(args, table, form)
  try {
    parser.run()
  } catch (error) {
    if (error instanceof ParseError)
      return { ok: false, message: error.message, ...(error.flag ? { flag: error.flag } : {}) }
    throw error
  }
  if (parser.help) return { ok: true, given: parser.given, help: true }
  if (parser.model === undefined && table.model[form] === 'required')
    return { ok: false, message: 'the following arguments are required: model_tag' }
  if (parser.extras.length > 0)
    return { ok: false, message: `unrecognized arguments: ${parser.extras.join(' ')}`, unrecognised: parser.extras }
  return { ok: true, given: parser.given, help: false, ...(parser.model === undefined ? {} : { model: parser.model }) }
}

/** All option strings of a form, in the parser's order. */
function optionsOf(table: VllmFlagTable, form: 'serve' | 'module'): Map<string, Option> {
  const options = new Map<string, Option>()
  for (const [key, flag] of Object.entries(table.flags)) {
    if (form === 'module' && table.serveOnly.includes(key)) continue
    for (const option of flag.options ?? [key])
      options.set(option, { key, flag, negates: flag.kind === 'bool' && option.startsWith('--no-') })
  }
  return options
}

class Parser {
  readonly given = new Map<string, unknown>()
  readonly extras: string[] = []
  model: string | undefined
  help = false
  private readonly args: readonly string[]
  private readonly options: Map<string, Option>
  private readonly table: VllmFlagTable
  private readonly wantsModel: boolean
  private readonly optionAt: (OptionUse | undefined)[]
  /** One letter for each argument, as argparse's own pattern: option, value, or the `--` that ends options. */
  private readonly pattern: string

  constructor(args: readonly string[], table: VllmFlagTable, form: 'serve' | 'module') {
    this.args = args
    this.table = table
    this.options = optionsOf(table, form)
    this.wantsModel = table.model[form] !== 'none'
    const end = args.indexOf('--')
    this.optionAt = args.map((arg, i) => (end >= 0 && i >= end ? undefined : this.optionUse(arg)))
    this.pattern = args.map((_, i) => (i === end ? '-' : this.optionAt[i] ? 'O' : 'A')).join('')
  }

  run(): void {
    let i = 0
    while (i < this.args.length && !this.help) {
      const use = this.optionAt[i]
      if (use) i = this.consumeOption(i, use)
      else {
        this.consumeWord(this.args[i]!, i)
        i++
      }
    }
  }

  private consumeWord(word: string, index: number): void {
    if (this.pattern[index] === '-') return
    if (this.wantsModel && this.model === undefined) this.model = word
    else this.extras.push(word)
  }

  private optionUse(arg: string): OptionUse | undefined {
    if (!arg.startsWith('-') || arg === '-') return undefined
    const exact = this.options.get(arg)
    if (exact) return { text: arg, option: exact }
    const equals = arg.indexOf('=')
    const name = equals < 0 ? arg : arg.slice(0, equals)
    const explicit = equals < 0 ? undefined : arg.slice(equals + 1)
    const named = this.options.get(name)
    if (equals > 0 && named) return { text: name, option: named, explicit }
    const matches = this.abbreviated(name, arg, explicit)
    if (matches.length === 1) return matches[0]
    if (matches.length > 1)
      return { text: arg, ambiguous: `ambiguous option: ${arg} could match ${matches.map((m) => m.text).join(', ')}` }
    if (/^-\d+$|^-\d*\.\d+$/.test(arg) || arg.includes(' ')) return undefined
    return { text: arg }
  }

  private abbreviated(name: string, arg: string, explicit: string | undefined): OptionUse[] {
    const found: OptionUse[] = []
    for (const [text, option] of this.options) {
      if (name.startsWith('--')) {
        if (this.table.abbreviations && text.startsWith(name)) found.push({ text, option, explicit })
      } else if (text === arg.slice(0, 2)) found.push({ text, option, explicit: arg.slice(2) })
      else if (this.table.abbreviations && text.startsWith(name)) found.push({ text, option, explicit })
    }
    return found
  }

  private consumeOption(index: number, use: OptionUse): number {
    if (use.ambiguous) throw new ParseError(use.ambiguous)
    const { option, explicit } = use
    if (!option) {
      this.extras.push(this.args[index]!)
      return index + 1
    }
    const { flag } = option
    const fail = (message: string) => new ParseError(`argument ${nameOf(option)}: ${message}`, option.key)
    if (flag.kind && flag.kind !== 'store-boolean') {
      if (explicit !== undefined) throw fail(`ignored explicit argument ${reprOf(explicit)}`)
      if (flag.kind === 'help') this.help = true
      else this.given.set(flag.dest, flag.kind === 'false' ? false : !option.negates)
      return index + 1
    }
    const nargs = flag.kind === 'store-boolean' ? '?' : flag.nargs
    const count = explicit !== undefined ? 1 : this.countValues(index + 1, nargs, fail)
    if (explicit !== undefined && typeof nargs === 'number' && nargs !== 1) throw fail(expected(nargs))
    const texts = explicit !== undefined ? [explicit] : this.valuesFrom(index + 1, count)
    this.store(option, nargs, texts, fail)
    return explicit !== undefined ? index + 1 : this.afterValues(index + 1, count)
  }

  /** How many of the following words the flag takes. */
  private countValues(from: number, nargs: VllmFlag['nargs'], fail: (message: string) => ParseError): number {
    const run = /^-*((?:A-*)*)/.exec(this.pattern.slice(from))![1]!.replaceAll('-', '').length
    if (nargs === '*') return run
    if (nargs === '?') return Math.min(run, 1)
    const needed = typeof nargs === 'number' ? nargs : 1
    if (run < needed) throw fail(expected(nargs))
    return nargs === '+' ? run : needed
  }

  private valuesFrom(from: number, count: number): string[] {
    const texts: string[] = []
    for (let i = from; texts.length < count; i++) if (this.pattern[i] !== '-') texts.push(this.args[i]!)
    return texts
  }

  private afterValues(from: number, count: number): number {
    let i = from
    for (let taken = 0; taken < count; i++) if (this.pattern[i] !== '-') taken++
    return i
  }

  private store(
    option: Option,
    nargs: VllmFlag['nargs'],
    texts: readonly string[],
    fail: (m: string) => ParseError,
  ): void {
    const { flag } = option
    if (flag.kind === 'store-boolean') {
      this.given.set(flag.dest, storeBoolean(texts[0], fail))
      return
    }
    const values = texts.map((text) => {
      try {
        return readValue(flag, text)
      } catch (error) {
        if (error instanceof ValueRefused) throw fail(error.message)
        throw error
      }
    })
    const many = nargs === '*' || nargs === '+' || typeof nargs === 'number'
    this.given.set(flag.dest, many ? values : nargs === '?' && values.length === 0 ? true : values[0])
  }
}

interface OptionUse {
  readonly text: string
  readonly option?: Option
  readonly explicit?: string | undefined
  readonly ambiguous?: string
}

const nameOf = (option: Option): string => (option.flag.options ?? [option.key]).join('/')

const reprOf = (text: string): string => `'${text.replaceAll("'", "\\'")}'`

const expected = (nargs: VllmFlag['nargs']): string =>
  nargs === '+'
    ? 'expected at least one argument'
    : typeof nargs === 'number' && nargs !== 1
      ? `expected ${nargs} arguments`
      : 'expected one argument'

function storeBoolean(text: string | undefined, fail: (message: string) => ParseError): boolean {
  if (text === undefined || text.toLowerCase() === 'true') return true
  if (text.toLowerCase() === 'false') return false
  throw fail(`Invalid boolean value: ${text}. Expected "true" or "false".`)
}
