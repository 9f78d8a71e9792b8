import type { MetricFamily } from '../../metrics/sample.ts'
import type {
  GpuUsage,
  InferenceServer,
  PortAnswer,
  PostRequest,
  ProgramContext,
  RunningProgram,
} from '../../nodes/program.ts'
import type { Timer } from '../../world/clock.ts'
import { ms, seconds, type Us } from '../../world/time.ts'
import type { EngineStats } from '../engine/engine.ts'
import { ServerAccounts, type ServerPhases } from './accounts.ts'
import { Exposition } from './exposition.ts'
import { FrontEnd } from './front-end.ts'
import { formatRecord, type LogRecord } from './log-format.ts'
import { answerPost } from './posts.ts'
import type { RunnableServer } from './resolve.ts'
import { answerGet, bodyOfGet } from './routes.ts'
import { shutdownLog } from './shutdown-log.ts'
import { Starter, type StartupProgress } from './starter.ts'
import { type StartupOptions, startupPlan } from './startup.ts'

/**
 * Times after SIGTERM as recorded on vLLM 0.32: answers are ended at 5 ms, the port refuses from 20 ms, the process is gone
 * at 410 ms. With `--shutdown-timeout` they count from the end of draining; when time runs out the engine is killed.
 */
const ABORT_US: Us = ms(5)
const PORT_CLOSED_US: Us = ms(20)
const GONE_US: Us = ms(410)
const KILLED_PORT_CLOSED_US: Us = ms(130)
/** A process ends this long after the last connection it waited for. */
const AFTER_LAST_CONNECTION_US: Us = ms(30)
/** A dead engine is noticed by the watchdog, whose period is 5 s; as recorded. */
const CRASH_PORT_CLOSED_US: Us = ms(3290)
const CRASH_GONE_US: Us = ms(3590)

type State = 'starting' | 'ready' | 'shutting-down' | 'dead-engine' | 'closed' | 'gone'

/** A running vLLM server: what the kubelet sees, and the levers a fault pulls. */
export class VllmServer implements RunningProgram {
  readonly resolved: RunnableServer
  private readonly context: ProgramContext
  private readonly starter: Starter
  private readonly timers: Timer[] = []
  private readonly exposed: Exposition
  private readonly accounts: ServerAccounts
  private frontEnd: FrontEnd | undefined
  private readyAt: Us | undefined
  private state: State = 'starting'
  private terminating = false
  private engineHung = false
  private slowdown = 1

  constructor(context: ProgramContext, resolved: RunnableServer, options: StartupOptions = {}) {
    this.context = context
    this.resolved = resolved
    this.exposed = new Exposition(context.clock, resolved)
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
    submit: (port, request, observer) => {
      if (this.accepts(port)) return this.frontEnd!.submit(request, this.exposed.counted(observer))
      const message = `dial tcp: connect: connection refused`
      const timer = this.context.clock.after(0, () =>
        observer.failed({ at: this.context.clock.now, kind: 'refused', message }),
      )
      return () => timer.cancel()
    },
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
      submit: (request, observer) => this.inference.submit(port, request, observer),
    })
  }

  accepts(port: number): boolean {
    const { host, port: own } = this.resolved.settings
    const open = this.state === 'ready' || this.state === 'shutting-down' || this.state === 'dead-engine'
    // bound to loopback, nothing outside the container reaches it
    return open && port === own.value && !/^(127\.|localhost$|::1$)/.test(host.value ?? '')
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
  crashEngine(): void {
    if (this.state === 'starting') {
      this.leave(1)
      return
    }
    if (this.state !== 'ready') return
    this.state = 'dead-engine'
    this.frontEnd!.crash()
    this.after(CRASH_PORT_CLOSED_US, () => this.closePort())
    this.after(CRASH_GONE_US, () => this.leave(0))
  }

  /** One entry for each data-parallel engine; none before the server is up. */
  stats(): EngineStats[] {
    return (this.frontEnd?.engines ?? []).map((engine) => engine.stats())
  }

  /** What a scrape of `/metrics` gets, in the order in which vLLM exposes it. */
  exposition(port: number, path: string, wanted?: ReadonlySet<string>): readonly MetricFamily[] | undefined {
    if (!this.accepts(port) || (path !== '/metrics' && path !== '/metrics/')) return undefined
    return this.exposed.families(this.frontEnd!, wanted)
  }

  usage(): { cpuSeconds: number; memoryBytes: number } {
    return this.accounts.usage(this.phases())
  }

  gpuUsage(): GpuUsage {
    return this.accounts.gpuUsage(this.phases())
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
  }

  /** SIGTERM. Until vLLM has set its handler, process 1 ignores it; during the rest of a start it interrupts. */
  private terminate(): void {
    if (this.state === 'starting') {
      if (this.starter.progress?.phase === 'imports') return
      this.terminating = true
      this.starter.stop()
      this.log({ text: 'KeyboardInterrupt: terminated' })
      this.after(GONE_US, () => this.leave(130))
      return
    }
    if (this.state !== 'ready') return
    this.terminating = true
    const timeoutSeconds = this.resolved.settings.shutdownTimeoutSeconds.value
    this.state = 'shutting-down'
    for (const record of shutdownLog(timeoutSeconds, this.frontEnd!.openCount)) this.log(record)
    if (timeoutSeconds > 0) this.drain(timeoutSeconds)
    else if (this.engineHung) this.waitForConnections(PORT_CLOSED_US)
    else this.endNow()
  }

  private endNow(): void {
    const goodForm = '--shutdown-timeout' in this.resolved.version.table.flags
    // before that flag existed the server task was cancelled, which cuts the streams
    this.after(ABORT_US, () => (goodForm ? this.frontEnd!.abortAll() : this.frontEnd!.reset()))
    this.after(PORT_CLOSED_US, () => this.closePort())
    this.after(GONE_US, () => this.leave(0))
  }

  private drain(timeoutSeconds: number): void {
    const frontEnd = this.frontEnd!
    frontEnd.drain()
    const deadline = this.after(seconds(timeoutSeconds), () => {
      frontEnd.onIdle = undefined
      this.waitForConnections(KILLED_PORT_CLOSED_US)
    })
    const drained = () => {
      frontEnd.onIdle = undefined
      deadline.cancel()
      this.after(PORT_CLOSED_US, () => this.closePort())
      this.after(GONE_US, () => this.leave(0))
    }
    if (frontEnd.openCount === 0) drained()
    else frontEnd.onIdle = drained
  }

  /** The engine was killed with answers open: they hang, and uvicorn waits for their clients to leave. */
  private waitForConnections(portClosedUs: Us): void {
    const frontEnd = this.frontEnd!
    frontEnd.stopEngines()
    this.after(portClosedUs, () => {
      this.closePort()
      this.log({ text: 'INFO:     Waiting for connections to close. (CTRL+C to force quit)' })
      const empty = () => this.after(AFTER_LAST_CONNECTION_US, () => this.leave(0))
      if (frontEnd.openCount === 0) empty()
      else frontEnd.onIdle = empty
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

  private log(record: LogRecord): void {
    for (const line of formatRecord(record, this.context.clock.now)) this.context.log(line)
  }
}
