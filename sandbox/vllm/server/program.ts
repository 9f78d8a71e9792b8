import type { PortAnswer, Program, ProgramContext, RunningProgram } from '../../nodes/program.ts'
import type { Timer } from '../../world/clock.ts'
import { formatRecord, type LogRecord } from './log-format.ts'
import { refusalLog } from './refusal-log.ts'
import type { BadArguments, RefusedServer, RunnableServer } from './resolve.ts'
import { type PhaseName, type StartupOptions, startupPlan } from './startup.ts'
import { VllmServer } from './vllm-server.ts'

/**
 * The program of a container that runs vLLM. A server that cannot start prints what vLLM prints and exits: 2 for arguments
 * argparse refuses, 1 for the rest. The running program of one that starts is a `VllmServer`.
 */
export function vllmProgram(
  resolved: RunnableServer | RefusedServer | BadArguments,
  options: StartupOptions = {},
): Program {
  return {
    name: 'vllm',
    start: (context) =>
      resolved.kind === 'runs'
        ? new VllmServer(context, resolved, options)
        : new RefusedStart(context, resolved, options),
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
      this.at(at, () => this.log(phase.opening))
      at += phase.durationUs
      const { durationUs, name } = phase
      const importsOnly =
        name === 'imports' && (resolved.kind === 'bad-arguments' || resolved.refusal.stage === 'config')
      this.at(at, () => {
        this.importing = false
        if (!importsOnly && !(name === 'weights' && this.endsInWeights())) this.log(phase.closing(durationUs))
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

  private endsInWeights(): boolean {
    return this.resolved.kind === 'refused' && this.resolved.refusal.stage === 'weights'
  }

  private phases(options: StartupOptions) {
    const { resolved } = this
    if (resolved.kind === 'bad-arguments') {
      // flags are read when Python has imported vLLM; no model is known yet
      return [{ name: 'imports' as const, durationUs: 10e6, opening: [], closing: () => [] }]
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
