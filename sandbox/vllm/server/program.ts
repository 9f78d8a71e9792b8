import type { PortAnswer, Program, ProgramContext, RunningProgram } from '../../nodes/program.ts'
import type { Timer } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'
import { weightsBytesPerGpu } from '../memory/weights.ts'
import { formatRecord, type LogRecord } from './log-format.ts'
import { refusalLog } from './refusal-log.ts'
import type { BadArguments, RefusedServer, RunnableServer } from './resolve.ts'
import { type PhaseName, type StartupOptions, type StartupPhase, startupPlan } from './startup.ts'
import { VllmServer } from './vllm-server.ts'

/**
 * The program of a container that runs vLLM. A server that cannot start prints what vLLM prints and exits: 2 for arguments
 * argparse refuses, 1 for the rest. The running program of one that starts is a `VllmServer`. Options given as a function
 * are asked for at each start, so that a container restarted under a fault starts under it.
 */
export function vllmProgram(
  resolved: RunnableServer | RefusedServer | BadArguments,
  options: StartupOptions | (() => StartupOptions) = {},
): Program {
  const now = () => (typeof options === 'function' ? options() : options)
  return {
    name: 'vllm',
    start: (context) =>
      resolved.kind === 'runs' ? new VllmServer(context, resolved, now()) : new RefusedStart(context, resolved, now()),
  }
}

/** Phases that pass before each kind of refusal. */
const PASSED: Record<RefusedServer['refusal']['stage'], readonly PhaseName[]> = {
  config: ['imports'],
  device: ['imports', 'engine', 'distributed'],
  weights: ['imports', 'engine', 'distributed', 'fetch', 'weights'],
  'kv-cache': ['imports', 'engine', 'distributed', 'fetch', 'weights', 'compile', 'profile'],
}

class RefusedStart implements RunningProgram {
  private readonly context: ProgramContext
  private readonly resolved: RefusedServer | BadArguments
  private readonly timers: Timer[] = []
  private importing = true

  constructor(context: ProgramContext, resolved: RefusedServer | BadArguments, options: StartupOptions) {
    this.context = context
    this.resolved = resolved
    let at = context.clock.now
    for (const phase of this.phases(options)) {
      const durationUs = Math.round(phase.durationUs * this.shareOf(phase.name))
      this.at(at, () => this.log(phase.opening))
      at += durationUs
      this.at(at, () => {
        this.importing = false
        this.log(this.closing(phase, durationUs))
      })
    }
    this.at(at, () => this.end())
  }

  httpGet(): PortAnswer {
    return { kind: 'refused' }
  }

  accepts(): boolean {
    return false
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (signal === 'SIGTERM' && (this.importing || !this.resolved.command.receivesSignals)) return
    for (const timer of this.timers) timer.cancel()
    if (signal === 'SIGTERM') this.context.exit(130)
  }

  /** How much of a phase passes: weights are read until memory is full, and not at all when the model cannot be built. */
  private shareOf(name: PhaseName): number {
    const { resolved } = this
    if (name !== 'weights' || resolved.kind !== 'refused' || resolved.refusal.stage !== 'weights') return 1
    if (resolved.refusal.code !== 'weights-out-of-memory') return 0
    return Math.min(1, resolved.gpu.memoryBytes / weightsBytesPerGpu(resolved.model, resolved.settings))
  }

  private closing(phase: StartupPhase, tookUs: Us): readonly LogRecord[] {
    const { resolved } = this
    if (resolved.kind === 'bad-arguments') return []
    const records = phase.closing(tookUs)
    // the banner and the arguments come before the configuration is checked
    if (phase.name === 'imports' && resolved.refusal.stage === 'config') return records.slice(0, 2)
    return phase.name === 'weights' && resolved.refusal.stage === 'weights' ? [] : records
  }

  private phases(options: StartupOptions): readonly StartupPhase[] {
    const { resolved } = this
    if (resolved.kind === 'bad-arguments') {
      // flags are read when Python has imported vLLM; no model is known yet. A short measured start imports in a part of it
      const durationUs = Math.min(10e6, Math.round((options.totalLoadUs ?? 60e6) / 6))
      return [{ name: 'imports', title: 'start Python and import', durationUs, opening: [], closing: () => [] }]
    }
    const passed = PASSED[resolved.refusal.stage]
    return startupPlan({ ...resolved, version: resolved.version.version }, options).filter((p) =>
      passed.includes(p.name),
    )
  }

  private end(): void {
    const { resolved } = this
    if (resolved.kind === 'bad-arguments') {
      for (const line of resolved.refusal.stderr) this.context.log(line)
      this.context.exit(resolved.refusal.exitCode)
      return
    }
    const parallel = resolved.settings.tensorParallelSize.value > 1
    this.log(refusalLog(resolved.refusal, parallel ? 'Worker_TP0' : 'EngineCore'))
    this.context.exit(1)
  }

  private log(records: readonly LogRecord[]): void {
    for (const record of records)
      for (const line of formatRecord(record, this.context.clock.now)) this.context.log(line)
  }

  private at(time: number, then: () => void): void {
    this.timers.push(this.context.clock.at(time, then))
  }
}
