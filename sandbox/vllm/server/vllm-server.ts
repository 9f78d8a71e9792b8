import type { MetricFamily } from '../../metrics/sample.ts'
import type {
  GpuUsage,
  InferenceObserver,
  InferenceRequest,
  InferenceServer,
  PortAnswer,
  PostRequest,
  ProgramContext,
  RunningProgram,
} from '../../nodes/program.ts'
import type { Timer } from '../../world/clock.ts'
import { ms, type Us } from '../../world/time.ts'
import type { EngineStats } from '../engine/engine.ts'
import { outOfMemory } from '../memory/memory.ts'
import { ServerAccounts, type ServerPhases } from './accounts.ts'
import { Exposition } from './exposition.ts'
import { FrontEnd } from './front-end.ts'
import { formatRecord, type LogRecord } from './log-format.ts'
import { isLoopback } from './loopback.ts'
import { answerPost } from './posts.ts'
import { refusalLog } from './refusal-log.ts'
import type { RunnableServer } from './resolve.ts'
import { answerGet, bodyOfGet } from './routes.ts'
import { type Front, Shutdown } from './shutdown.ts'
import { engineDeathLog } from './shutdown-log.ts'
import { Starter, type StartupProgress } from './starter.ts'
import { type StartupOptions, startupPlan } from './startup.ts'

/** How long a start that is interrupted takes to end. */
const INTERRUPTED_US: Us = ms(410)

type State = 'starting' | 'ready' | 'shutting-down' | 'dead-engine' | 'closed' | 'gone'

/** A running vLLM server: what the kubelet sees, and the levers a fault pulls. */
export class VllmServer implements RunningProgram {
  readonly resolved: RunnableServer
  private readonly context: ProgramContext
  private readonly starter: Starter
  private readonly timers: Timer[] = []
  readonly exposed: Exposition
  private readonly accounts: ServerAccounts
  /** None before the server is up. */
  frontEnd: FrontEnd | undefined
  private readonly front: Front | undefined
  private readonly apiServerPid: number
  private shutdown: Shutdown | undefined
  private readyAt: Us | undefined
  private state: State = 'starting'
  private terminating = false
  private died = false
  private engineHung = false
  private slowdown = 1

  constructor(context: ProgramContext, resolved: RunnableServer, options: StartupOptions = {}, front?: Front) {
    this.context = context
    this.resolved = resolved
    this.front = front
    this.apiServerPid = options.apiServerPid ?? 1
    this.exposed = new Exposition(context.clock, resolved, { engines: () => this.frontEnd?.engines ?? [] })
    this.accounts = new ServerAccounts(resolved, context.clock.now, options.idleCpuCores)
    const { version } = resolved.version
    const phases = startupPlan({ ...resolved, version }, options)
    this.starter = new Starter(
      context.clock,
      phases,
      (record) => this.log(record),
      () => this.becomeReady(),
    )
    if (options.loadFactor !== undefined) this.starter.setLoadFactor(options.loadFactor)
    this.starter.start()
  }

  readonly inference: InferenceServer = {
    submit: (port, request, observer) => this.submit(port, request, observer),
  }

  /** The phase of a start under way; undefined once it is up. */
  get startup(): StartupProgress | undefined {
    return this.state === 'starting' ? this.starter.progress : undefined
  }

  get ready(): boolean {
    return this.state === 'ready'
  }

  httpGet(port: number, path: string): PortAnswer {
    if (!this.accepts(port)) return { kind: 'refused' }
    const apiKey = this.resolved.settings.apiKeySet.value
    return answerGet(path, { engineDead: this.state === 'dead-engine', apiKey })
  }

  bodyOf(port: number, path: string): string | undefined {
    const { basis, version } = this.resolved.version
    return this.accepts(port) ? bodyOfGet(path, basis === 'exact' ? version : undefined) : undefined
  }

  httpPost(port: number, posted: PostRequest, answered: (answer: PortAnswer) => void): () => void {
    return answerPost(posted, answered, {
      ...this.resolved.settings,
      later: (delay, then) => this.after(delay, then),
      submit: (request, observer, route) => this.submit(port, request, observer, route),
    })
  }

  accepts(port: number): boolean {
    const { host, port: own } = this.resolved.settings
    const open = this.state === 'ready' || this.state === 'shutting-down' || this.state === 'dead-engine'
    // bound to loopback, nothing outside the container reaches it
    return open && port === own.value && !isLoopback(host.value ?? '')
  }

  speaksTls(): boolean {
    return this.resolved.settings.tls.value
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.state === 'gone') return
    if (signal === 'SIGKILL') this.kill()
    else if (this.resolved.command.receivesSignals && !this.terminating) this.terminate()
  }

  /** Loading takes this many times as long from now on. */
  setLoadFactor(factor: number): void {
    this.starter.setLoadFactor(factor)
  }

  /** The engine stops stepping while `/health` goes on saying 200; a start under way stands still. */
  hang(): void {
    this.engineHung = true
    if (this.state === 'starting') this.starter.hang()
    for (const engine of this.frontEnd?.engines ?? []) engine.hang()
  }

  resume(): void {
    this.engineHung = false
    if (this.state === 'starting') this.starter.resume()
    for (const engine of this.frontEnd?.engines ?? []) engine.resume()
  }

  /** Steps take this many times as long: a throttled GPU. */
  slowDown(factor: number): void {
    this.slowdown = factor
    for (const engine of this.frontEnd?.engines ?? []) engine.slowDown(factor)
  }

  /** A worker or the engine process dies. During a start the whole process ends with exit code 1. */
  crashEngine(what: 'worker' | 'engine' = 'worker'): void {
    if (this.state === 'starting') {
      this.leave(1)
      return
    }
    if (this.state !== 'ready') return
    this.state = 'dead-engine'
    this.died = true
    for (const record of engineDeathLog(what)) this.log(record)
    this.frontEnd!.crash()
    if (!isTruthy(this.resolved.command.environment.VLLM_KEEP_ALIVE_ON_ENGINE_DEATH)) this.shutdown!.engineDied()
  }

  /** A start under way ends as one that finds the GPU's memory taken. */
  runOutOfMemory(): void {
    if (this.state !== 'starting') return
    const { memory, settings } = this.resolved
    const deployment = { ...this.resolved, gpuCount: 1, version: this.resolved.version.version }
    const refusal = outOfMemory(deployment, memory.totalBytes, memory.freeBytes, memory.weightsBytesPerGpu)
    const worker = settings.tensorParallelSize.value > 1 ? 'Worker_TP0' : 'EngineCore'
    for (const record of refusalLog(refusal, worker)) this.log(record)
    this.leave(1)
  }

  /** A client was told by status 500 that the engine has died: upstream ends the server without waiting for its watchdog. */
  deathAnswered(): void {
    this.shutdown?.deathAnswered()
  }

  get engineState(): 'running' | 'dead' | 'shut-down' {
    if (this.died) return 'dead'
    return this.terminating && this.resolved.settings.shutdownTimeoutSeconds.value === 0 ? 'shut-down' : 'running'
  }

  /** One entry for each data-parallel engine; none before the server is up. */
  stats(): EngineStats[] {
    return (this.frontEnd?.engines ?? []).map((engine) => engine.stats())
  }

  /** What a scrape of `/metrics` gets, in the order in which vLLM exposes it. */
  exposition(port: number, path: string, wanted?: ReadonlySet<string>): readonly MetricFamily[] | undefined {
    if (!this.accepts(port) || (path !== '/metrics' && path !== '/metrics/')) return undefined
    return this.exposed.families(wanted)
  }

  usage(): { cpuSeconds: number; memoryBytes: number } {
    return this.accounts.usage(this.phases())
  }

  gpuUsage(): GpuUsage {
    return this.accounts.gpuUsage(this.phases())
  }

  private submit(port: number, request: InferenceRequest, observer: InferenceObserver, route?: string): () => void {
    if (this.accepts(port))
      return this.exposed.counting(observer, route, (counted) => this.frontEnd!.submit(request, counted))
    const { clock } = this.context
    const message = 'dial tcp: connect: connection refused'
    const timer = clock.after(0, () => observer.failed({ at: clock.now, kind: 'refused', message }))
    return () => timer.cancel()
  }

  private phases(): ServerPhases {
    const { startup } = this
    return {
      now: this.context.clock.now,
      readyAt: this.readyAt,
      engines: this.stats(),
      ...(startup ? { startup } : {}),
      answered: this.exposed.answered,
      gone: this.state === 'gone',
    }
  }

  private becomeReady(): void {
    this.frontEnd = new FrontEnd(this.context.clock, this.resolved)
    this.readyAt = this.context.clock.now
    this.state = 'ready'
    if (this.slowdown !== 1) this.slowDown(this.slowdown)
    this.shutdown = new Shutdown({
      frontEnd: this.frontEnd,
      front: this.front,
      apiServerPid: this.apiServerPid,
      after: (delay, then) => this.after(delay, then),
      log: (records) => {
        for (const record of records) this.log(record)
      },
      closePort: () => this.closePort(),
      leave: (code) => this.leave(code),
    })
    this.front?.opened(this.frontEnd)
  }

  /** SIGTERM. Until vLLM has set its handler, process 1 ignores it; during the rest of a start it interrupts. */
  private terminate(): void {
    if (this.state === 'starting') {
      if (this.starter.progress?.phase === 'imports') return
      this.terminating = true
      this.starter.stop()
      this.log({ text: 'KeyboardInterrupt: terminated' })
      this.after(INTERRUPTED_US, () => this.leave(130))
      return
    }
    if (this.state === 'dead-engine') this.shutdown!.endDead()
    if (this.state !== 'ready') return
    this.terminating = true
    this.state = 'shutting-down'
    const { settings, version } = this.resolved
    this.shutdown!.terminate({
      timeoutSeconds: settings.shutdownTimeoutSeconds.value,
      hung: this.engineHung,
      goodForm: '--shutdown-timeout' in version.table.flags,
    })
  }

  private closePort(): void {
    if (this.state !== 'gone') this.state = 'closed'
  }

  private kill(): void {
    this.state = 'gone'
    this.stopAll()
    if (this.frontEnd) this.frontEnd.onIdle = undefined
    this.frontEnd?.reset()
  }

  private leave(code: number): void {
    if (this.state === 'gone') return
    this.kill()
    this.context.exit(code)
  }

  private stopAll(): void {
    this.starter.stop()
    for (const timer of this.timers) timer.cancel()
  }

  private after(delay: Us, then: () => void): Timer {
    const timer = this.context.clock.after(delay, then)
    this.timers.push(timer)
    return timer
  }

  log(record: LogRecord): void {
    for (const line of formatRecord(record, this.context.clock.now, this.apiServerPid)) this.context.log(line)
  }
}

const isTruthy = (text: string | undefined): boolean => /^(1|true)$/i.test(text?.trim() ?? '')
