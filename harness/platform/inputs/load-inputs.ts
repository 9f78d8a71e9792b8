import { dirname, join } from 'node:path'
import { presets } from '../../../fixtures/workloads/index.ts'
import type { WorkloadPreset } from '../../../fixtures/workloads/preset.ts'
import { minutes, ms, seconds, type Us } from '../../../sandbox/world/time.ts'
import type { ArrivalKind } from '../../load/arrival.ts'
import type { LengthDistribution } from '../../load/lengths.ts'
import type { RateShape, RateStep } from '../../load/rate.ts'
import { OPENAI_CLIENT, type RetryPolicy } from '../../load/retry.ts'
import { formatOf } from '../../load/trace.ts'
import { badTrace } from '../../load/trace-lines.ts'
import { openTrace, type TraceSummary } from '../../load/trace-replay.ts'
import type { Sessions, Tenant, Workload } from '../../load/workload.ts'
import { configSource, type Declared, type SeatrialConfig, type WorkloadConfig } from '../config/config.ts'
import { assumed, declaredInput, givenInput, type Input } from './input.ts'

/** What of a workload is not a figure of its own. */
export type LoadDetails = Omit<
  Workload,
  'arrival' | 'requestsPerSecond' | 'promptTokens' | 'outputTokens' | 'timeoutUs'
>

/** The load of one server: what `seatrial.yaml` gives, what its preset or trace says, and a modest chat where neither does. */
export interface LoadInputs {
  readonly requestsPerSecond: Input<number>
  readonly arrival: Input<ArrivalKind>
  readonly promptTokens: Input<LengthDistribution>
  readonly outputTokens: Input<LengthDistribution>
  /** Bursts, shapes, tenants, sessions, retries, a trace; absent where none is given. */
  readonly details?: Input<LoadDetails>
  /** How long the load lasts. */
  readonly durationUs: Input<Us>
  /** How long a client waits for the whole answer. */
  readonly timeoutUs: Input<Us>
}

type ArrivalConfig = Omit<NonNullable<WorkloadConfig['arrival']>, 'kind'>

/** Half the range of a length that a preset gives, as factors. */
const PRESET_RANGE = [0.7, 1.5] as const
const CHAT_RANGE = [0.5, 4] as const
/** Where a session's prompts may not grow further, unless it is given: contexts of most servers are at least twice as long. */
const SESSION_PROMPT_MAX = 8000

/** `key`: of the workload in `seatrial.yaml`. Throws a PlatformError where its trace cannot be read. */
export function loadInputs(
  config: SeatrialConfig | undefined,
  key: string | undefined,
  workload: WorkloadConfig | undefined,
  { name, replicas }: { name: string; replicas: number },
): LoadInputs {
  const how = (setting: string) => `give workloads.${key ?? name}.${setting} in seatrial.yaml`
  const at = (...path: string[]) => ['workloads', key!, ...path]
  const preset = presets.find(({ id }) => id === workload?.preset)
  const trace = config && workload?.trace ? openedTrace(config, key!, workload.trace) : undefined
  const figure = (declared: Declared<number> | undefined, path: string[], fallback: Input<number>) =>
    config && declared ? declaredInput(config, at(...path), declared) : fallback
  const traced = <T>(value: T): Input<T> => ({
    value,
    origin: 'measured',
    source: configSource(config!, at('trace')),
    note: `from the trace ${workload!.trace!.file}`,
  })
  const lengths = (field: 'promptTokens' | 'outputTokens', common: LengthDistribution): Input<LengthDistribution> => {
    const given = workload?.[field]
    if (config && given) return givenInput(config, at(field), given)
    if (trace) return traced(trace[field])
    const base: LengthDistribution = preset ? { kind: 'lognormal', ...preset[field] } : common
    const [low, high] = preset ? PRESET_RANGE : CHAT_RANGE
    const what = preset ? `preset ${preset.id} (${preset.source})` : 'chat-like lengths'
    return assumed(base, [scaled(base, low), scaled(base, high)], `${what}: ${how(field)}`)
  }
  const pods = Math.max(1, replicas)
  const modest = assumed(
    pods,
    [0.2 * pods, 4 * pods],
    `a modest load of one request a second per replica: ${how('arrival.rate')}`,
  )
  const details = detailsOf(workload, preset, trace)
  return {
    requestsPerSecond: figure(
      workload?.arrival?.rate,
      ['arrival', 'rate'],
      trace ? traced(trace.use.requestsPerSecond * (workload?.trace?.speed ?? 1)) : modest,
    ),
    arrival: arrivalOf(config, at, workload, preset, how),
    promptTokens: lengths('promptTokens', { kind: 'lognormal', meanTokens: 512, p95Tokens: 2048 }),
    outputTokens: lengths('outputTokens', { kind: 'lognormal', meanTokens: 200, p95Tokens: 600 }),
    ...(config && Object.keys(details).length > 0 ? { details: givenInput(config, at(), details) } : {}),
    durationUs: figure(
      workload?.duration,
      ['duration'],
      assumed(minutes(10), [minutes(5), minutes(60)], how('duration')),
    ),
    timeoutUs: figure(workload?.timeout, ['timeout'], assumed(minutes(2), [minutes(1), minutes(10)], how('timeout'))),
  }
}

function arrivalOf(
  config: SeatrialConfig | undefined,
  at: (...path: string[]) => string[],
  workload: WorkloadConfig | undefined,
  preset: WorkloadPreset | undefined,
  how: (setting: string) => string,
): Input<ArrivalKind> {
  if (config && workload?.arrival) return givenInput(config, at('arrival'), workload.arrival.kind ?? 'poisson')
  if (preset) return { ...assumedKind(preset.arrival.kind), note: `preset ${preset.id}: ${how('arrival.kind')}` }
  return { ...assumedKind('poisson'), note: `independent clients: ${how('arrival.kind')}` }
}

const assumedKind = (kind: ArrivalKind): Input<ArrivalKind> => assumed(kind, [kind, kind], '')

function detailsOf(
  workload: WorkloadConfig | undefined,
  preset: WorkloadPreset | undefined,
  trace: TraceSummary | undefined,
): LoadDetails {
  const cv = workload?.arrival?.cv ?? (workload?.arrival ? undefined : preset?.arrival.cv)
  const sharedTokens = workload?.sharedTokens ?? preset?.sharedTokens
  const sessions = workload?.sessions ? sessionsOf(workload.sessions) : presetSessions(preset)
  return {
    ...(cv === undefined ? {} : { cv }),
    ...shapesOf(workload?.arrival),
    ...(sharedTokens === undefined ? {} : { sharedTokens }),
    ...(sessions ? { sessions } : {}),
    ...(workload?.priority === undefined ? {} : { priority: workload.priority }),
    ...(workload?.tenants ? { tenants: workload.tenants.map(tenantOf) } : {}),
    ...(workload?.retry ? { retry: retryOf(workload.retry) } : {}),
    ...(trace ? { trace: trace.use } : {}),
  }
}

function tenantOf(given: NonNullable<WorkloadConfig['tenants']>[number]): Tenant {
  const { name, share, arrival, promptTokens, outputTokens, sharedTokens, sessions, priority, timeout } = given
  return {
    name,
    ...(share === undefined ? {} : { share }),
    ...(arrival?.kind ? { arrival: arrival.kind } : {}),
    ...(arrival?.cv === undefined ? {} : { cv: arrival.cv }),
    ...(arrival?.rate ? { requestsPerSecond: arrival.rate.value } : {}),
    ...shapesOf(arrival),
    ...(promptTokens ? { promptTokens } : {}),
    ...(outputTokens ? { outputTokens } : {}),
    ...(sharedTokens === undefined ? {} : { sharedTokens }),
    ...(sessions ? { sessions: sessionsOf(sessions) } : {}),
    ...(priority === undefined ? {} : { priority }),
    ...(timeout ? { timeoutUs: timeout.value } : {}),
  }
}

function shapesOf(arrival: ArrivalConfig | undefined): { shapes?: RateShape[] } {
  const { steps, repeat, wave } = arrival ?? {}
  const shapes: RateShape[] = [
    ...(steps ? [{ kind: 'steps' as const, steps: rateSteps(steps), ...(repeat ? { repeatUs: repeat } : {}) }] : []),
    ...(wave
      ? [{ kind: 'wave' as const, amplitude: wave.amplitude, periodUs: wave.period, peakAtUs: wave.peakAt }]
      : []),
  ]
  return shapes.length > 0 ? { shapes } : {}
}

/** A step with an end goes back to what the one before it had reached. */
function rateSteps(steps: NonNullable<ArrivalConfig['steps']>): RateStep[] {
  let before = 1
  return [...steps]
    .sort((a, b) => a.at - b.at)
    .flatMap(({ at: atUs, times, over: overUs = 0, for: forUs }) => {
      const up = { atUs, times, overUs }
      if (forUs !== undefined) return [up, { atUs: atUs + overUs + forUs, times: before, overUs }]
      before = times
      return [up]
    })
}

const sessionsOf = (given: NonNullable<WorkloadConfig['sessions']>): Sessions => ({
  turns: given.turns,
  thinkUs: given.think,
  maxPromptTokens: given.maxPromptTokens ?? SESSION_PROMPT_MAX,
})

const presetSessions = (preset: WorkloadPreset | undefined): Sessions | undefined =>
  preset?.sessions && {
    turns: preset.sessions.turns,
    thinkUs: seconds(preset.sessions.thinkSeconds),
    maxPromptTokens: preset.sessions.maxPromptTokens,
  }

const retryOf = ({ attempts, when, backoff, maxBackoff }: NonNullable<WorkloadConfig['retry']>): RetryPolicy => ({
  attempts,
  on: when ?? OPENAI_CLIENT.on,
  backoffUs: backoff ?? ms(500),
  maxBackoffUs: maxBackoff ?? seconds(8),
})

/** Traces read so far, by file and part: several servers may share one, and a platform is looked at more than once. */
const opened = new Map<string, TraceSummary>()

function openedTrace(config: SeatrialConfig, key: string, trace: NonNullable<WorkloadConfig['trace']>): TraceSummary {
  const position = configSource(config, ['workloads', key, 'trace', 'file'])
  const file = join(dirname(position.file), trace.file)
  const format = trace.format ?? formatOf(file)
  if (!format)
    throw badTrace(
      `the format of ${trace.file} cannot be told from its name`,
      position,
      'Give trace.format: azure-csv or mooncake-jsonl.',
    )
  const { from: fromUs = 0, for: forUs, loop } = trace
  const part = JSON.stringify([file, format, fromUs, forUs, loop])
  let summary = opened.get(part)
  if (!summary) {
    summary = openTrace(file, { format, fromUs, loop, ...(forUs === undefined ? {} : { forUs }) })
    opened.set(part, summary)
  }
  return summary
}

const scaled = (lengths: LengthDistribution, factor: number): LengthDistribution =>
  lengths.kind === 'lognormal'
    ? { kind: 'lognormal', meanTokens: lengths.meanTokens * factor, p95Tokens: lengths.p95Tokens * factor }
    : lengths
