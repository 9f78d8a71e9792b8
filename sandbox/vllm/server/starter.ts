import type { Clock, Timer } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'
import type { LogRecord } from './log-format.ts'
import type { PhaseName, StartupPhase } from './startup.ts'

/** What of a start can be seen from outside. */
export interface StartupProgress {
  readonly phase: PhaseName
  /** 0 to 1 within the phase. */
  readonly done: number
}

/** Phases that read the model, which a slow disk or store makes longer. */
const LOADING: ReadonlySet<PhaseName> = new Set<PhaseName>(['fetch', 'weights'])

/** Runs the phases of a start on the clock. The speed of loading can change under way. */
export class Starter {
  private readonly clock: Clock
  private readonly phases: readonly StartupPhase[]
  private readonly log: (record: LogRecord) => void
  private readonly finished: () => void
  private timer: Timer | undefined
  private index = -1
  /** Work done in this phase, in µs of undisturbed time, up to `since`. */
  private workDone: Us = 0
  private since: Us = 0
  private begunAt: Us = 0
  private factor = 1
  private hung = false

  constructor(clock: Clock, phases: readonly StartupPhase[], log: (record: LogRecord) => void, finished: () => void) {
    this.clock = clock
    this.phases = phases
    this.log = log
    this.finished = finished
  }

  start(): void {
    this.enter(0)
  }

  get progress(): StartupProgress | undefined {
    const phase = this.phases[this.index]
    return phase && { phase: phase.name, done: Math.min(1, this.workBy(this.clock.now) / phase.durationUs) }
  }

  /** Loading takes this many times as long from now on. */
  setLoadFactor(factor: number): void {
    this.settle()
    this.factor = factor
    this.arm()
  }

  /** Nothing goes on until `resume`. */
  hang(): void {
    this.settle()
    this.hung = true
    this.timer?.cancel()
  }

  resume(): void {
    this.settle()
    this.hung = false
    this.arm()
  }

  stop(): void {
    this.timer?.cancel()
    this.index = this.phases.length
  }

  private enter(index: number): void {
    this.index = index
    const phase = this.phases[index]
    if (!phase) {
      this.finished()
      return
    }
    this.workDone = 0
    this.since = this.clock.now
    this.begunAt = this.clock.now
    for (const record of phase.opening) this.log(record)
    this.arm()
  }

  /** How many times slower than planned this phase runs. */
  private slowness(): number {
    const phase = this.phases[this.index]
    return phase && LOADING.has(phase.name) ? this.factor : 1
  }

  private workBy(now: Us): Us {
    return this.hung ? this.workDone : this.workDone + (now - this.since) / this.slowness()
  }

  private settle(): void {
    this.workDone = this.workBy(this.clock.now)
    this.since = this.clock.now
  }

  private arm(): void {
    const phase = this.phases[this.index]
    this.timer?.cancel()
    if (!phase || this.hung) return
    const left = Math.max(0, (phase.durationUs - this.workDone) * this.slowness())
    this.timer = this.clock.after(Math.round(left), () => {
      for (const record of phase.closing(this.clock.now - this.begunAt)) this.log(record)
      this.enter(this.index + 1)
    })
  }
}
