import type { Clock, Timer } from '../../../world/clock.ts'
import { ms } from '../../../world/time.ts'
import type { VllmServer } from '../../server/vllm-server.ts'

/** What answers are, for the generator to ask at each request. */
export interface AnswerQuality {
  wrong: boolean
}

/** A fault as people are shown it. */
export interface FaultState {
  readonly name: string
  readonly does: string
  /** What can be set, with its default. */
  readonly parameters: Readonly<Record<string, number>>
  readonly active: boolean
}

/** A fault that cannot be had now. */
export class FaultError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

interface Fault {
  readonly does: string
  readonly parameters: Readonly<Record<string, number>>
  /** When it can be injected. Left out: at any time. */
  readonly only?: 'starting' | 'ready'
  inject(parameters: Readonly<Record<string, number>>): unknown
  /** Left out: it cannot be healed, the process has to be started again. */
  heal?(): void
}

/** How often blocks that come free are taken while KV memory is short. */
const TOP_UP_US = ms(50)

/** What ends the process does so after whoever asked for it has been answered. */
const ENDS_US = ms(20)

/** Levers on a running server: what a fault port pulls. */
export class Faults {
  private readonly server: VllmServer
  private readonly clock: Clock
  private readonly active = new Set<string>()
  private readonly faults: Readonly<Record<string, Fault>>
  private pressure: Timer | undefined

  constructor(clock: Clock, server: VllmServer, quality: AnswerQuality) {
    this.clock = clock
    this.server = server
    this.faults = {
      hang: {
        does: 'the engine stops stepping; /health goes on saying 200',
        parameters: {},
        inject: () => server.hang(),
        heal: () => server.resume(),
      },
      slow: {
        does: 'steps take this many times as long, as on a throttled GPU',
        parameters: { factor: 4 },
        inject: ({ factor }) => server.slowDown(factor!),
        heal: () => server.slowDown(1),
      },
      'wrong-answers': {
        does: 'answers are fluent and wrong, as after a bad quantisation',
        parameters: {},
        inject: () => {
          quality.wrong = true
        },
        heal: () => {
          quality.wrong = false
        },
      },
      'crash-engine': {
        does: 'the engine process dies',
        parameters: {},
        only: 'ready',
        inject: () => server.crashEngine('engine'),
      },
      'crash-worker': {
        does: 'a worker process dies',
        parameters: {},
        only: 'ready',
        inject: () => server.crashEngine('worker'),
      },
      'kv-pressure': {
        does: 'this share of the KV cache is taken: requests wait, running ones are preempted',
        parameters: { share: 0.9 },
        only: 'ready',
        inject: ({ share }) => this.press(share!),
        heal: () => this.press(0),
      },
      'slow-weights': {
        does: 'reading the weights takes this many times as long',
        parameters: { factor: 10 },
        only: 'starting',
        inject: ({ factor }) => server.setLoadFactor(factor!),
        heal: () => server.setLoadFactor(1),
      },
      'out-of-memory': {
        does: 'the start ends as one that runs out of GPU memory',
        parameters: {},
        only: 'starting',
        inject: () => clock.after(ENDS_US, () => server.runOutOfMemory()),
      },
    }
  }

  /** `starting`, `ready`, or what has become of it since. */
  get phase(): string {
    const { server } = this
    if (server.startup) return `starting: ${server.startup.phase}`
    return server.engineState === 'dead' ? 'engine dead' : server.ready ? 'ready' : 'ending'
  }

  list(): readonly FaultState[] {
    return Object.entries(this.faults).map(([name, { does, parameters }]) => ({
      name,
      does,
      parameters,
      active: this.active.has(name),
    }))
  }

  /** Throws a FaultError for one that is unknown, or has no place now. */
  inject(name: string, given: Readonly<Record<string, unknown>>): void {
    const fault = this.find(name)
    const now = this.server.startup ? 'starting' : this.server.ready ? 'ready' : 'ended'
    if (now === 'ended') throw new FaultError('SERVER_ENDED', 'the server is ending: no fault can be injected')
    if (fault.only && fault.only !== now)
      throw new FaultError('NOT_NOW', `${name} can be injected only while the server is ${fault.only}; it is ${now}`)
    fault.inject(parametersOf(name, fault, given))
    if (fault.heal) this.active.add(name)
  }

  /** Throws a FaultError for one that is unknown, or cannot be healed. */
  heal(name: string): void {
    const { heal } = this.find(name)
    if (!heal) throw new FaultError('NOT_HEALABLE', `${name} cannot be healed: start the server again`)
    heal()
    this.active.delete(name)
  }

  healAll(): void {
    for (const name of [...this.active]) this.heal(name)
  }

  private find(name: string): Fault {
    const fault = Object.hasOwn(this.faults, name) ? this.faults[name] : undefined
    if (fault) return fault
    throw new FaultError(
      'UNKNOWN_FAULT',
      `there is no fault «${name}»; there are: ${Object.keys(this.faults).join(', ')}`,
    )
  }

  private press(share: number): void {
    this.pressure?.cancel()
    for (const engine of this.server.frontEnd?.engines ?? []) engine.withholdKv(share)
    this.pressure = share > 0 ? this.clock.after(TOP_UP_US, () => this.press(share)) : undefined
  }
}

function parametersOf(
  name: string,
  { parameters }: Fault,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, number>> {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(parameters, key))
      throw new FaultError(
        'BAD_PARAMETER',
        `${name} has no parameter «${key}»; it has: ${Object.keys(parameters).join(', ') || 'none'}`,
      )
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
      throw new FaultError('BAD_PARAMETER', `${name}: ${key} must be a number above 0, not ${JSON.stringify(value)}`)
    if (key === 'share' && value > 1)
      throw new FaultError('BAD_PARAMETER', `${name}: share must be at most 1, not ${value}`)
  }
  return { ...parameters, ...(given as Record<string, number>) }
}
