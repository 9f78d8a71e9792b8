import { seconds, type Us } from '../../world/time.ts'
import type { AnswersLater, Awaited, Command, CommandEnvironment, CommandOutcome, LocalAnswer } from './environment.ts'

interface Target {
  readonly port: number
  readonly path: string
  readonly scheme: 'HTTP' | 'HTTPS'
}

/** The pod's own address by its usual names. */
const LOCAL = /^(?:(https?):\/\/)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(\/[^\s#]*)?$/i

function targetOf(url: string): Target | undefined {
  const match = LOCAL.exec(url)
  if (!match) return undefined
  const scheme = match[1]?.toLowerCase() === 'https' ? 'HTTPS' : 'HTTP'
  return { scheme, port: Number(match[2] ?? (scheme === 'HTTPS' ? 443 : 80)), path: match[3] ?? '/' }
}

/** Options of a client: which take a value, and which are known at all. */
interface Grammar {
  readonly flags: RegExp
  readonly valued: Readonly<Record<string, string>>
}

/** What a command line of curl or wget asks for, and its options by our names (`output`, `format`) or as they stand. */
export interface ClientLine {
  readonly target: { readonly port: number; readonly path: string }
  readonly options: ReadonlyMap<string, string>
}

/** Undefined when something in the command line is not known, or it asks another machine. */
export function clientLine([first = '', ...args]: readonly string[]): ClientLine | undefined {
  const line = read(args, /wget$/.test(first) ? WGET : CURL)
  const target = line && targetOf(line.url)
  return target && { target, options: line.options }
}

/** The options and the one URL of a command line; undefined when something in it is not known. */
function read(args: readonly string[], grammar: Grammar): { url: string; options: Map<string, string> } | undefined {
  const options = new Map<string, string>()
  const urls: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (!arg.startsWith('-') || arg === '-') {
      urls.push(arg)
      continue
    }
    const [long, inline] = arg.startsWith('--') ? split(arg) : [arg, undefined]
    if (long in grammar.valued) {
      const value = inline ?? args[++i]
      if (value === undefined) return undefined
      keep(options, grammar.valued[long]!, value)
      continue
    }
    const attached = /^(-[A-Za-z])(.+)$/.exec(arg)
    if (attached && attached[1]! in grammar.valued && !arg.startsWith('--'))
      keep(options, grammar.valued[attached[1]!]!, attached[2]!.replace(/^=/, ''))
    else if (!arg.startsWith('--') && /^-[A-Za-z]{2}/.test(arg) && arg !== '-nv') {
      // letters in one: the first that takes a value takes the rest
      args = [...args.slice(0, i), arg.slice(0, 2), `-${arg.slice(2)}`, ...args.slice(i + 1)]
      i--
    } else if (grammar.flags.test(arg)) options.set(arg, '')
    else return undefined
  }
  return urls.length === 1 ? { url: urls[0]!, options } : undefined
}

/** Headers add up; of other options the last one counts. */
const keep = (options: Map<string, string>, name: string, value: string): void => {
  const before = name === 'header' ? options.get(name) : undefined
  options.set(name, before === undefined ? value : `${before}\n${value}`)
}

const split = (arg: string): [string, string | undefined] => {
  const at = arg.indexOf('=')
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)]
}

const CURL: Grammar = {
  flags:
    /^(-[sSfkLvigN4]|--(silent|show-error|fail|fail-with-body|insecure|location|verbose|include|no-buffer|retry-connrefused|retry-all-errors|ipv4|noproxy))$/,
  valued: {
    '-o': 'output',
    '--output': 'output',
    '-m': 'timeout',
    '--max-time': 'timeout',
    '--connect-timeout': 'connect',
    '--retry': 'retry',
    '--retry-delay': 'delay',
    '--retry-max-time': 'retryTime',
    '-X': 'method',
    '--request': 'method',
    '-H': 'header',
    '--header': 'header',
    '-w': 'format',
    '--write-out': 'format',
    '-A': 'agent',
    '-d': 'data',
    '--data': 'data',
    '--data-raw': 'data',
    '--data-binary': 'data',
    '--json': 'json',
  },
}

/** GETs and POSTs to the pod itself, with curl's exit codes: 7 refused, 22 an error status under `-f`, 28 timed out, 52 no HTTP. */
export function curl(args: readonly string[]): Command | undefined {
  const line = read(args, CURL)
  const target = line && targetOf(line.url)
  if (!line || !target) return undefined
  const { options } = line
  const data = options.get('json') ?? options.get('data')
  const method = options.get('method') ?? (data === undefined ? 'GET' : 'POST')
  // what a file holds is not known
  if (!/^(GET|POST)$/.test(method) || data?.startsWith('@') || Number(options.get('retry') ?? 0) > 0) return undefined
  if (target.scheme === 'HTTPS' && !options.has('-k') && !options.has('--insecure')) return undefined
  const fails = ['-f', '--fail', '--fail-with-body'].some((flag) => options.has(flag))
  const timeout = durationOf(options.get('timeout'))
  const type = options.has('json') ? 'application/json' : data === undefined ? undefined : FORM
  const posted = method === 'POST' ? { body: data ?? '', headers: headersOf(options, type) } : undefined
  return (environment) =>
    ask(environment, { ...target, posted }, timeout, {
      refused: 7,
      timedOut: 28,
      noHttp: target.scheme === 'HTTPS' ? 35 : 52,
      status: (status) => (fails && status >= 400 ? 22 : 0),
    })
}

const WGET: Grammar = {
  flags: /^(-[qScvN4]|-nv|--(quiet|spider|no-verbose|no-check-certificate|server-response))$/,
  valued: {
    '-O': 'output',
    '--output-document': 'output',
    '-T': 'timeout',
    '--timeout': 'timeout',
    '-t': 'tries',
    '--tries': 'tries',
    '--header': 'header',
    '--post-data': 'data',
  },
}

/** GETs and POSTs to the pod itself, with GNU wget's exit codes: 4 the network, 8 an error status. A timeout is tried as often as asked. */
export function wget(args: readonly string[]): Command | undefined {
  const line = read(args, WGET)
  const target = line && targetOf(line.url)
  if (!line || !target) return undefined
  if (target.scheme === 'HTTPS' && !line.options.has('--no-check-certificate')) return undefined
  const timeout = durationOf(line.options.get('timeout') ?? '900')
  const tries = Number(line.options.get('tries') ?? 20)
  const body = line.options.get('data')
  const posted = body === undefined ? undefined : { body, headers: headersOf(line.options, FORM) }
  return (environment) =>
    ask(environment, { ...target, posted }, timeout * Math.max(1, tries), {
      refused: 4,
      timedOut: 4,
      noHttp: 4,
      status: (status) => (status >= 400 ? 8 : 0),
    })
}

/** The type of a body that no header names. */
const FORM = 'application/x-www-form-urlencoded'

function headersOf(options: ReadonlyMap<string, string>, type: string | undefined): string[] {
  const given = options.get('header')?.split('\n') ?? []
  return type === undefined || given.some((line) => /^content-type:/i.test(line))
    ? given
    : [...given, `Content-Type: ${type}`]
}

const durationOf = (text: string | undefined): Us => {
  const value = Number(text ?? 0)
  return value > 0 ? seconds(value) : Number.POSITIVE_INFINITY
}

interface ExitCodes {
  readonly refused: number
  readonly timedOut: number
  readonly noHttp: number
  status(status: number): number
}

interface Question extends Target {
  /** Of a POST. */
  readonly posted: { readonly body: string; readonly headers: readonly string[] } | undefined
}

function ask(
  environment: CommandEnvironment,
  { port, path, scheme, posted }: Question,
  timeoutUs: Us,
  codes: ExitCodes,
): CommandOutcome | Awaited | undefined {
  const answer: LocalAnswer | AnswersLater | undefined = posted
    ? environment.post(port, { path, ...posted }, scheme)
    : environment.get(port, path, scheme)
  if (!answer) return undefined
  if (answer.kind !== 'later') return outcomeOf(answer, timeoutUs, codes)
  const begin: Awaited['begin'] = (ended) => answer.begin((last) => ended(outcomeOf(last, timeoutUs, codes).exitCode))
  return { begin, timeoutUs, timedOut: codes.timedOut }
}

function outcomeOf(answer: LocalAnswer, timeout: Us, codes: ExitCodes): CommandOutcome {
  if (answer.kind === 'refused') return { exitCode: codes.refused, afterUs: 0 }
  if (answer.kind === 'hang' || answer.afterUs >= timeout) return { exitCode: codes.timedOut, afterUs: timeout }
  if (answer.kind === 'wrong-scheme') return { exitCode: codes.noHttp, afterUs: answer.afterUs }
  return { exitCode: codes.status(answer.status), afterUs: answer.afterUs }
}
