import { renderFamilies } from '../../../vllm/engine/metric-text.ts'
import type { Task } from '../../../world/actor.ts'
import { perform } from '../../../world/actor.ts'
import { environmentOf, podExposition } from '../../pod-access.ts'
import type { PodRuntime } from '../../pod-runtime.ts'
import type { CommandEnvironment, LocalAnswer } from '../../shell/environment.ts'
import { clientLine } from '../../shell/http-clients.ts'
import { outcomeOf } from '../../shell.ts'
import { type ExecCommand, type ExecContext, type ExecOutcome, NotSimulated } from './command.ts'
import { after } from './quiet.ts'

/** `curl` and `wget` of the pod's own ports: exit codes and times as of probes, bodies as far as they are simulated. */
export const httpCommand: ExecCommand = {
  names: ['curl', 'wget'],
  *run(words, context) {
    const line = clientLine(words)
    const name = words[0]!.slice(words[0]!.lastIndexOf('/') + 1)
    if (!line)
      throw new NotSimulated(
        `this use of ${name} is not simulated: it asks ports of the pod itself, like ${name} localhost:8000/metrics`,
      )
    const { answer, exitCode } = yield* ask(words, context)
    const printed = new Printed(name === 'wget', line.options)
    if (answer?.kind !== 'answer' || exitCode === 28)
      return { exitCode, ...printed.failure(exitCode, line.target.port) }
    if (exitCode !== 0) return { exitCode, ...printed.failed(answer.status) }
    return { exitCode, ...printed.success(answer.status, () => bodyOf(context.hosted.runtime, line.target)) }
  },
}

/** Runs the command as a probe would, and keeps what was answered. */
function* ask(
  words: readonly string[],
  context: ExecContext,
): Task<{ answer: LocalAnswer | undefined; exitCode: number }> {
  const { hosted, container } = context
  let answer: LocalAnswer | undefined
  const own = environmentOf(hosted.runtime, container)
  const environment: CommandEnvironment = {
    ...own,
    get(port, path, scheme) {
      answer = own.get(port, path, scheme)
      return answer
    },
    post(port, request, scheme) {
      const posted = own.post(port, request, scheme)
      if (posted?.kind !== 'later') {
        answer = posted
        return posted
      }
      const begin: typeof posted.begin = (answered) =>
        posted.begin((last) => {
          answer = last
          answered(last)
        })
      return { kind: 'later', begin }
    },
  }
  const outcome = outcomeOf(words, environment)
  if (!outcome) throw new NotSimulated(`what \`${words.join(' ')}\` would get is not simulated`)
  if ('goOn' in outcome) {
    const start: Parameters<typeof perform<number>>[0]['start'] = (clock, resume) =>
      outcome.goOn(clock, (code) => resume(code ?? 126))
    const exitCode = yield* perform<number>({ start })
    return { answer, exitCode }
  }
  const exitCode = yield* after(outcome.afterUs, outcome.exitCode, { runtime: hosted.runtime, container })
  return { answer, exitCode }
}

function bodyOf(runtime: PodRuntime, { port, path }: { port: number; path: string }): string | undefined {
  const families = podExposition(runtime, port, path)
  if (families && families.length > 0) return renderFamilies(families)
  return runtime.containers
    .find(({ running, program }) => running && program?.accepts(port))
    ?.program?.bodyOf?.(port, path)
}

type Streams = Pick<ExecOutcome, 'stdout' | 'stderr'>

/** What the client writes, by its options. */
class Printed {
  private readonly wget: boolean
  private readonly options: ReadonlyMap<string, string>

  constructor(wget: boolean, options: ReadonlyMap<string, string>) {
    this.wget = wget
    this.options = options
    const asks = ['-i', '--include', '-v', '--verbose', '-S', '--server-response'].find((flag) => options.has(flag))
    if (asks && (wget || asks !== '-S')) throw new NotSimulated(`the headers that ${asks} prints are not simulated`)
    const output = options.get('output')
    if (wget && output === undefined && !options.has('--spider'))
      throw new NotSimulated('files are not simulated: add -O -, or -O /dev/null')
    if (output !== undefined && output !== '-' && output !== '/dev/null')
      throw new NotSimulated('files are not simulated: write to /dev/null, or to standard output')
  }

  success(status: number, body: () => string | undefined): Streams {
    const discarded = this.options.get('output') === '/dev/null' || this.options.has('--spider')
    const text = discarded ? '' : body()
    if (text === undefined)
      throw new NotSimulated(
        `the answer has status ${status}; its body is not simulated: ${this.wget ? 'add -O /dev/null' : "add -o /dev/null -w '%{http_code}'"}`,
      )
    return { stdout: text + this.written(status) }
  }

  /** An error status, under `-f`, or any for wget. */
  failed(status: number): Streams {
    const message = this.wget
      ? `wget: server returned error: HTTP/1.1 ${status}`
      : `curl: (22) The requested URL returned error: ${status}`
    return { stdout: this.written(status), ...this.toldOn(message) }
  }

  /** No answer. */
  failure(exitCode: number, port: number): Streams {
    const timeout = Number(this.options.get('timeout') ?? 0)
    const told: Readonly<Record<number, string>> = {
      4: `wget: can't connect to remote host: Connection refused`,
      7: `curl: (7) Failed to connect to localhost port ${port} after 0 ms: Could not connect to server`,
      28: `curl: (28) Operation timed out after ${Math.round(timeout * 1e3)} milliseconds with 0 bytes received`,
      35: 'curl: (35) TLS connect error',
      52: 'curl: (52) Empty reply from server',
    }
    return { stdout: this.written(0), ...this.toldOn(told[exitCode] ?? `exit code ${exitCode}`) }
  }

  private toldOn(message: string): Streams {
    const { options } = this
    const silent = options.has('-q') || options.has('--quiet') || options.has('-s') || options.has('--silent')
    return silent && !options.has('-S') && !options.has('--show-error') ? {} : { stderr: `${message}\n` }
  }

  /** `-w`. */
  private written(status: number): string {
    const format = this.options.get('format')
    if (format === undefined) return ''
    const text = format.replace(/%\{(http_code|response_code)\}/g, String(status).padStart(3, '0'))
    if (/%\{|%output/.test(text)) throw new NotSimulated(`of what -w can print, %{http_code} is simulated: ${format}`)
    return text.replaceAll('\\n', '\n').replaceAll('\\t', '\t')
  }
}
