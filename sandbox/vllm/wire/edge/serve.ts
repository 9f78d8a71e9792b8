import { readFileSync } from 'node:fs'
import { gpuById } from '../../../../fixtures/gpus/lookup.ts'
import type { Container, Pod } from '../../../kube/objects.ts'
import type { RunningProgram } from '../../../nodes/program.ts'
import { randomStream } from '../../../world/random.ts'
import { EPOCH_MS, ms, toSeconds, type Us } from '../../../world/time.ts'
import { WallClock } from '../../../world/wall-clock.ts'
import { parseCommandLine } from '../../flags/parse.ts'
import { vllmProgram } from '../../server/program.ts'
import { type RunnableServer, resolveServer } from '../../server/resolve.ts'
import { EngineGenerator } from '../generation/engine-generator.ts'
import { Faults } from '../process/faults.ts'
import { modelInFolder, servedModelOf } from '../process/served-model.ts'
import { type HttpFlags, httpFlagsOf, nonDefaultArgs, wireFlagsOf } from '../process/wire-flags.ts'
import { WireProcess } from '../process/wire-process.ts'
import type { App } from '../router/app.ts'
import { FaultPort } from './fault-port.ts'
import { HttpServer } from './http-server.ts'
import { parserProblem } from './parser-problem.ts'
import { ServeError } from './serve-error.ts'

const VLLM_VERSION = '0.32.0'
/** Tokens are to leave at the end of their step, not at the next whole millisecond. */
const SPIN_US = ms(1.5)

/** A `vllm serve` command line, and what is added to it. */
export interface ServeOptions {
  /** What follows `vllm serve`. */
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By id, `h100-sxm`, and how many there are. */
  readonly gpu: { readonly id: string; readonly count: number }
  readonly seed: number
  /** From the start of the process to the first connection that is taken. Default: estimated from model and GPU. */
  readonly loadTimeUs?: Us | undefined
  /** A tokenizer.json, or a folder with one. */
  readonly tokenizer?: string | undefined
  /** `endless`: text never ends by itself. */
  readonly answers: 'natural' | 'endless'
  readonly faults?: { readonly host: string; readonly port: number; readonly token?: string | undefined } | undefined
  readonly apiServerPid: number
  /** A line of the server's log. */
  log(line: string): void
  /** The server has ended. Called once. */
  exit(code: number): void
  /** What the user should know besides. */
  note?(text: string): void
  /** Told once the port takes connections; port 0 is a free one. */
  listening?(port: number): void
  /** Told after each write of a stream. */
  wrote?(): void
}

/** A server that runs in this process. */
export interface RunningServer {
  readonly clock: WallClock
  /** None of a start that is refused. */
  readonly process: WireProcess | undefined
  readonly faults: Faults | undefined
  readonly faultPort: Promise<number> | undefined
  signal(signal: ServerSignal): void
}

/** As a process gets them. SIGINT is what Ctrl-C sends. */
export type ServerSignal = 'SIGTERM' | 'SIGINT' | 'SIGKILL'

/** What a process ends with that a signal ends. */
const KILLED_BY: Readonly<Record<ServerSignal, number>> = { SIGINT: 130, SIGKILL: 137, SIGTERM: 143 }

export { ServeError } from './serve-error.ts'

/** Runs a vLLM server on the wall's clock, behind HTTP. Throws a ServeError. */
export function serveVllm(options: ServeOptions): RunningServer {
  const resolved = resolve(options)
  const clock = new WallClock({
    spinUs: SPIN_US,
    onError: (error) => {
      options.log(error instanceof Error ? (error.stack ?? error.message) : String(error))
      end(1)
    },
  })
  let ended = false
  const end = (code: number) => {
    if (ended) return
    ended = true
    clock.stop()
    options.exit(code)
  }
  if (resolved.kind === 'runs') {
    const problem = parserProblem(resolved)
    if (problem === undefined) return new Serve(options, resolved, clock, end)
    for (const line of ['Traceback (most recent call last):', `KeyError: '${problem}'`])
      options.log(`(APIServer pid=${options.apiServerPid}) ${line}`)
    clock.after(0, () => end(1))
    return {
      clock,
      process: undefined,
      faults: undefined,
      faultPort: undefined,
      signal: (signal) => end(KILLED_BY[signal]),
    }
  }
  const startup = options.loadTimeUs === undefined ? {} : { totalLoadUs: options.loadTimeUs }
  const program = vllmProgram(resolved, { ...startup, apiServerPid: options.apiServerPid }).start({
    clock,
    random: randomStream(options.seed, 'vllm/process'),
    pod: {} as Pod,
    container: {} as Container,
    devices: [],
    log: options.log,
    exit: end,
  })
  return refusedServer(clock, program, end)
}

const refusedServer = (clock: WallClock, program: RunningProgram, end: (code: number) => void): RunningServer => ({
  clock,
  process: undefined,
  faults: undefined,
  faultPort: undefined,
  signal: (signal) => {
    program.signal('SIGKILL')
    end(KILLED_BY[signal])
  },
})

class Serve implements RunningServer {
  readonly clock: WallClock
  readonly process: WireProcess
  readonly faults: Faults
  readonly faultPort: Promise<number> | undefined
  private readonly options: ServeOptions
  private readonly resolved: RunnableServer
  private readonly http: HttpFlags
  private readonly given: ReadonlyMap<string, unknown>
  private readonly quality = { wrong: false }
  private readonly ports: { close(): void }[] = []
  private server: HttpServer | undefined

  constructor(options: ServeOptions, resolved: RunnableServer, clock: WallClock, end: (code: number) => void) {
    this.options = options
    this.resolved = resolved
    this.clock = clock
    const { environment } = options
    const { settings, version, command } = resolved
    const parsed = parseCommandLine(command.args, command.form, version)
    this.given = parsed.ok ? parsed.given : new Map()
    const given = { given: this.given, environment, settings, version: version.version }
    this.http = httpFlagsOf(given)
    const { model, tokenizerInfo, note } = this.readModel()
    options.note?.(note)
    const { loadTimeUs, apiServerPid, seed } = options
    this.process = new WireProcess({
      clock,
      seed,
      resolved,
      flags: wireFlagsOf(given),
      http: this.http,
      model,
      tokenizerInfo,
      nonDefaultArgs: nonDefaultArgs(given, version.table.flags),
      startup: { apiServerPid, ...(loadTimeUs === undefined ? {} : { totalLoadUs: loadTimeUs }) },
      generator: ({ frontEnd }) => this.generator(frontEnd, model),
      carrier: { opened: (app) => this.open(app), closed: (then) => (this.server ? this.server.close(then) : then()) },
      log: options.log,
      exit: (code) => {
        for (const port of this.ports) port.close()
        this.server?.destroy()
        end(code)
      },
    })
    this.faults = new Faults(clock, this.process.server, this.quality)
    this.faultPort = options.faults && this.openFaultPort(options.faults)
  }

  signal(signal: ServerSignal): void {
    const { server } = this.process
    // Python has no handler yet; only process 1 of a container lives through that
    const unhandled = server.startup?.phase === 'imports' && this.options.apiServerPid !== 1
    if (signal === 'SIGKILL' || unhandled) {
      server.signal('SIGKILL')
      this.process.end(KILLED_BY[signal])
    } else server.signal('SIGTERM')
  }

  private readModel() {
    const format = this.given.get('chat_template_content_format')
    return servedModelOf({
      resolved: this.resolved,
      tokenizer: this.options.tokenizer ?? (this.given.get('tokenizer') as string | undefined),
      chatTemplate: this.http.chatTemplate,
      contentFormat: format === 'string' || format === 'openai' ? format : undefined,
      unixSeconds: () => EPOCH_MS / 1e3 + toSeconds(this.clock.now),
    })
  }

  private generator(
    frontEnd: NonNullable<WireProcess['server']['frontEnd']>,
    {
      tokenizer,
      names,
    }: { tokenizer: ReturnType<typeof servedModelOf>['model']['tokenizer']; names: readonly string[] },
  ): EngineGenerator {
    const generator = new EngineGenerator({
      clock: this.clock,
      engines: frontEnd.engines,
      leastLoaded: () => frontEnd.leastLoaded(),
      tokenizer,
      model: names[0]!,
      endless: this.options.answers === 'endless',
    })
    const { quality } = this
    Object.defineProperty(generator, 'wrongAnswers', { get: () => quality.wrong })
    return generator
  }

  private open(app: App): void {
    const { settings } = this.resolved
    const { keepAliveSeconds, accessLog, quietPaths } = this.http
    const { wrote, log } = this.options
    const server = new HttpServer({
      app,
      unixMs: () => EPOCH_MS + this.clock.now / 1e3,
      keepAliveSeconds,
      log: (line, path) => {
        if (path === undefined || (accessLog && !quietPaths.has(path))) log(line)
      },
      ...(settings.tls.value ? { tls: this.certificate() } : {}),
      ...(wrote ? { wrote } : {}),
    })
    this.server = server
    server.listen(settings.port.value, settings.host.value ?? '0.0.0.0').then(
      (port) => this.options.listening?.(port),
      (error: NodeJS.ErrnoException) => {
        log(
          `OSError: [Errno ${error.code === 'EADDRINUSE' ? '98] Address already in use' : `${error.errno}] ${error.message}`}`,
        )
        this.process.server.signal('SIGKILL')
        this.process.end(1)
      },
    )
  }

  private certificate() {
    const read = (dest: string): string => readFileSync(String(this.given.get(dest)), 'utf8')
    const cert = read('ssl_certfile')
    return {
      cert,
      key: this.given.has('ssl_keyfile') ? read('ssl_keyfile') : cert,
      ...(this.given.has('ssl_ca_certs') ? { ca: read('ssl_ca_certs') } : {}),
    }
  }

  private openFaultPort({ host, port, token }: NonNullable<ServeOptions['faults']>): Promise<number> {
    const faultPort = new FaultPort({ faults: this.faults, host, port, token })
    this.ports.push(faultPort)
    return faultPort.listen()
  }
}

function resolve({ args, environment, gpu }: ServeOptions) {
  const spec = gpuById(gpu.id)
  if (!spec) throw new ServeError('UNKNOWN_GPU', `no GPU is called «${gpu.id}»`, 'For example: --gpu h100-sxm:8')
  const env = Object.entries(environment).flatMap(([name, value]) =>
    name.startsWith('VLLM_') && value !== undefined ? [{ name, value }] : [],
  )
  const container = { image: `vllm/vllm-openai:v${VLLM_VERSION}`, command: ['vllm', 'serve', ...args], env }
  const resolved = resolveServer(
    container,
    {},
    { gpuProduct: spec.product, gpuCount: gpu.count, modelAt: modelInFolder, prefetched: true },
  )
  switch (resolved.kind) {
    case 'runs':
    case 'refused':
    case 'bad-arguments':
      return resolved
    case 'unmodelled':
      throw new ServeError('NOT_SERVED', `this server is not simulated: ${resolved.reason}`, 'Leave that flag out.')
    case 'unknown-model':
      throw new ServeError(
        'UNKNOWN_MODEL',
        `nothing is known of the model ${resolved.name}`,
        'Name a folder that holds its config.json, or one of the models that «seatrial plan» knows.',
      )
    default:
      throw new ServeError(
        'NOT_SERVED',
        `no server can be made of: vllm serve ${args.join(' ')}`,
        'See «vllm serve --help».',
      )
  }
}
