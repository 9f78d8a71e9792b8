import { parseRate, parseTime } from '../../harness/platform/config/units.ts'
import type { Slos } from '../../harness/slo/objective.ts'
import { parseSlos } from '../../harness/slo/parse.ts'
import { ms, seconds, type Us } from '../../sandbox/world/time.ts'
import { UsageError } from '../failure.ts'
import { positiveInteger } from '../positive-integer.ts'

/** What the command line says, as commander gives it. */
export interface LoadTestOptions {
  readonly workload?: string
  readonly rate?: string
  readonly duration?: string
  readonly warmUp?: string
  readonly timeout?: string
  readonly slo?: readonly string[]
  readonly model?: string
  readonly endpoint: 'chat' | 'completions'
  readonly url?: string
  readonly target?: string
  readonly apiKeyEnv?: string
  readonly seed: string
  readonly samePrompts?: boolean
  readonly naturalEnds?: boolean
  readonly sender: 'http' | 'k6'
  /** A script of the user's. */
  readonly k6?: string
  readonly maxOpen?: string
  readonly maxDelay?: string
  readonly keepAlive: boolean
  readonly confirm?: string
  readonly out?: string
  readonly output: 'terminal' | 'json'
  readonly json?: boolean
  readonly config?: string
  readonly render?: boolean
}

/** The same as values. */
export interface LoadTestSettings {
  readonly requestsPerSecond: number | undefined
  readonly durationUs: Us | undefined
  readonly warmUpUs: Us
  readonly timeoutUs: Us | undefined
  readonly slos: Slos
  readonly seed: number
  readonly maxOpen: number
  readonly maxDelayUs: Us
  readonly apiKey: string | undefined
}

/** Later than this by its own fault, a sender's figures say nothing about a server. */
const MAX_DELAY: Us = ms(50)

/** Throws a UsageError. */
export function settingsOf(options: LoadTestOptions): LoadTestSettings {
  const time = (option: string, text: string | undefined): Us | undefined =>
    text === undefined ? undefined : read(option, () => positive(parseTime(text)))
  return {
    requestsPerSecond: options.rate === undefined ? undefined : read('--rate', () => positive(rateIn(options.rate!))),
    durationUs: time('--duration', options.duration),
    warmUpUs: options.warmUp === undefined ? 0 : read('--warm-up', () => parseTime(options.warmUp)),
    timeoutUs: time('--timeout', options.timeout),
    slos: read('--slo', () => parseSlos(options.slo ?? [])),
    seed: positiveInteger(options.seed, '--seed'),
    maxOpen: options.maxOpen === undefined ? socketsHere() : positiveInteger(options.maxOpen, '--max-open'),
    maxDelayUs: time('--max-delay', options.maxDelay) ?? MAX_DELAY,
    apiKey: options.apiKeyEnv === undefined ? undefined : apiKeyIn(options.apiKeyEnv),
  }
}

/** `5/s`, `90/m`, or requests a second. */
const rateIn = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : parseRate(text))

function positive(value: number): number {
  if (value > 0) return value
  throw new RangeError('must be more than 0')
}

function read<T>(option: string, value: () => T): T {
  try {
    return value()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(
      'BAD_OPTION',
      `${option}: ${error.message}`,
      'seatrial load --help shows how options are written.',
    )
  }
}

function apiKeyIn(name: string): string {
  const key = process.env[name]
  if (key && /^[\x21-\x7e]+$/.test(key)) return key
  throw new UsageError(
    'NO_API_KEY',
    key ? `the variable ${name} holds what cannot be a key` : `the variable ${name} of the environment is not set`,
    `Set it to the key of the server: ${name}=… seatrial load … --api-key-env ${name}`,
  )
}

/** Sockets this process may have, less some for the rest; 10,000 at most. */
function socketsHere(): number {
  const { open_files: files } =
    (process.report.getReport() as { userLimits?: Record<string, { soft: number | string }> }).userLimits ?? {}
  const soft = typeof files?.soft === 'number' ? files.soft : Number.POSITIVE_INFINITY
  return Math.max(16, Math.min(10_000, soft - 100))
}

/** How long a load lasts that nothing else says of. */
export const DURATION: Us = seconds(60)
