import type { Container, Pod } from '../../../kube/objects.ts'
import type { Clock } from '../../../world/clock.ts'
import { type RandomStream, randomStream } from '../../../world/random.ts'
import { EPOCH_MS, seconds, toSeconds } from '../../../world/time.ts'
import type { FrontEnd } from '../../server/front-end.ts'
import type { RunnableServer } from '../../server/resolve.ts'
import type { StartupOptions } from '../../server/startup.ts'
import { StatisticsLog } from '../../server/statistics-log.ts'
import { VllmServer } from '../../server/vllm-server.ts'
import type { Generator } from '../generation.ts'
import { type Answered, App } from '../router/app.ts'
import { listedRoutes, ROUTES } from '../router/table.ts'
import type { ServedModel, Serving, WireFlags } from '../serving.ts'
import { Control } from './engine-control.ts'
import { OpenGenerations } from './open-generations.ts'
import type { HttpFlags } from './wire-flags.ts'

/** Whatever carries requests to the application: an HTTP server, or a test. */
export interface Carrier {
  /** The server is up. */
  opened(app: App): void
  /** No connection is to be taken any more. Tells when the last has ended. */
  closed(then: () => void): void
}

export interface WireProcessOptions {
  readonly clock: Clock
  readonly seed: number
  readonly resolved: RunnableServer
  readonly flags: WireFlags
  readonly http: HttpFlags
  readonly startup: StartupOptions
  /** As the log shows them. */
  readonly nonDefaultArgs: string
  readonly model: ServedModel
  readonly tokenizerInfo: string | undefined
  /** Makes what produces tokens. */
  readonly generator: (about: {
    readonly frontEnd: FrontEnd
    readonly model: ServedModel
    readonly random: RandomStream
    readonly flags: WireFlags
  }) => Generator
  readonly carrier: Carrier
  /** A line on stdout. */
  log(line: string): void
  /** The process has ended. */
  exit(code: number): void
}

/** A vLLM process with its wire: the simulated server, and the application its HTTP server carries requests to. */
export class WireProcess {
  readonly server: VllmServer
  private readonly options: WireProcessOptions
  private statistics: StatisticsLog | undefined
  private generations: OpenGenerations | undefined

  constructor(options: WireProcessOptions) {
    this.options = options
    const { clock, seed, resolved, startup, flags, http, carrier } = options
    const context = {
      clock,
      random: randomStream(seed, 'vllm/process'),
      pod: {} as Pod,
      container: {} as Container,
      devices: [],
      log: options.log,
      exit: (code: number) => this.end(code),
    }
    const { devMode, runtimeLoraUpdating } = flags
    const { nonDefaultArgs } = options
    const wire = { devMode, runtimeLoraUpdating, loras: http.loraModules, nonDefaultArgs }
    this.server = new VllmServer(
      context,
      resolved,
      { ...startup, wire, routes: listedRoutes({ flags }) },
      { opened: (frontEnd) => this.open(frontEnd), closed: (then) => carrier.closed(then) },
    )
  }

  /** Ends at once, with this exit code. */
  end(code: number): void {
    this.statistics?.stop()
    this.options.exit(code)
  }

  private open(frontEnd: FrontEnd): void {
    const { options } = this
    const { clock, seed, model, flags, http, generator } = options
    for (const adapter of http.loraModules) model.loras.set(adapter.name, adapter)
    const random = randomStream(seed, 'vllm/ids')
    const inner = generator({ frontEnd, model, random: randomStream(seed, 'vllm/text'), flags })
    this.generations = new OpenGenerations(clock, inner, frontEnd)
    const serving = this.serving(frontEnd, this.generations, random)
    const interval = http.statisticsSeconds
    if (interval !== undefined)
      this.statistics = new StatisticsLog(clock, frontEnd.engines, seconds(interval), (record) =>
        this.server.log(record),
      )
    options.carrier.opened(new App({ serving, routes: ROUTES, answered: (answered) => this.count(answered) }))
  }

  private serving(frontEnd: FrontEnd, engine: OpenGenerations, random: RandomStream): Serving {
    const { options, server } = this
    const { clock, resolved, flags, model, tokenizerInfo } = options
    return {
      clock,
      random,
      unixSeconds: () => Math.floor(EPOCH_MS / 1e3 + toSeconds(clock.now)),
      settings: resolved.settings,
      flags,
      model,
      engine,
      metrics: server.exposed,
      loadGauges: () =>
        frontEnd.engines.map((host) => {
          const { waiting, kvCacheUsage } = host.stats()
          return { waiting, kvCacheUsage }
        }),
      get engineState() {
        return server.engineState
      },
      control: new Control(clock, frontEnd.engines, engine),
      load: { requests: 0 },
      tokenizerInfo,
      log: (record) => server.log(record),
    }
  }

  private count({ durationUs, ...answered }: Answered): void {
    this.server.exposed.http.count({ ...answered, seconds: toSeconds(durationUs) })
    if (answered.status === 500 && this.server.engineState === 'dead') this.server.deathAnswered()
  }
}
