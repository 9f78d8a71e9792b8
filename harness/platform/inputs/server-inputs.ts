import type { ModelSpec } from '../../../fixtures/models/model.ts'
import { minutes, ms, seconds, type Us } from '../../../sandbox/world/time.ts'
import type { LengthDistribution } from '../../load/lengths.ts'
import type { Declared, ModelConfig, SeatrialConfig, WorkloadConfig } from '../config/config.ts'
import type { Platform } from '../platform.ts'
import type { InferenceServerRole } from '../roles/inference-servers.ts'
import { assumed, declaredInput, givenInput, type Input } from './input.ts'
import type { ResolveOptions } from './resolve.ts'

/** What the trials of one server need to know. */
export interface ServerInputs {
  /** From the start of the server's process to its first answer. */
  readonly loadTimeUs: Input<Us>
  /** The model's shape, where `seatrial.yaml` gives it. */
  readonly modelSpec?: Input<ModelSpec>
  readonly requestsPerSecond: Input<number>
  readonly arrival: Input<'constant' | 'poisson'>
  readonly promptTokens: Input<LengthDistribution>
  readonly outputTokens: Input<LengthDistribution>
  /** How long the load lasts. */
  readonly durationUs: Input<Us>
  /** How long a client waits for the whole answer. */
  readonly timeoutUs: Input<Us>
  /** Share of requests answered. */
  readonly availability: Input<number>
  readonly ttftP95Us: Input<Us>
  readonly ttftP99Us: Input<Us>
  readonly tpotP95Us: Input<Us>
  readonly e2eP95Us: Input<Us>
}

/** `names`: how `seatrial.yaml` may call the server; the first that it uses counts. */
export function serverInputs<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  names: readonly string[],
  options: ResolveOptions<R>,
): ServerInputs {
  const { config } = platform
  const modelKey = names.find((name) => Object.hasOwn(config?.models ?? {}, name))
  const workloadKey = names.find((name) => Object.hasOwn(config?.workloads ?? {}, name))
  const model = modelKey === undefined ? undefined : config?.models?.[modelKey]
  const workload = workloadKey === undefined ? undefined : config?.workloads?.[workloadKey]
  const spec = model?.spec as ModelSpec | undefined
  return {
    loadTimeUs: loadTime(config, modelKey, model, server, options),
    ...(config && spec ? { modelSpec: givenInput(config, ['models', modelKey!, 'spec'], spec) } : {}),
    ...workloadInputs(config, workloadKey, workload, server.template.replicas),
    ...sloInputs(config, workloadKey, workload),
  }
}

function loadTime<R>(
  config: SeatrialConfig | undefined,
  key: string | undefined,
  model: ModelConfig | undefined,
  server: InferenceServerRole<R>,
  options: ResolveOptions<R>,
): Input<Us> {
  if (config && model?.loadTime) return declaredInput(config, ['models', key!, 'loadTime'], model.loadTime)
  const bytesPerSecond = model?.loadBandwidth?.value
  const spec = model?.spec as ModelSpec | undefined
  const estimate = options.estimateLoad(server, {
    ...(bytesPerSecond ? { bytesPerSecond } : {}),
    ...(spec ? { model: spec } : {}),
  })
  const name = server.object.manifest.metadata.name
  return assumed(estimate.us, estimate.rangeUs, `${estimate.note}: give models.${name}.loadTime in seatrial.yaml`)
}

function workloadInputs(
  config: SeatrialConfig | undefined,
  key: string | undefined,
  workload: WorkloadConfig | undefined,
  replicas: number,
) {
  const how = (setting: string) => `give workloads.${key ?? '<name>'}.${setting} in seatrial.yaml`
  const figure = (declared: Declared<number> | undefined, path: string[], fallback: Input<number>) =>
    config && declared ? declaredInput(config, ['workloads', key!, ...path], declared) : fallback
  const lengths = (
    field: 'promptTokens' | 'outputTokens',
    meanTokens: number,
    p95Tokens: number,
  ): Input<LengthDistribution> => {
    const given = workload?.[field]
    if (config && given) return givenInput(config, ['workloads', key!, field], given)
    const times = (factor: number): LengthDistribution => ({
      kind: 'lognormal',
      meanTokens: meanTokens * factor,
      p95Tokens: p95Tokens * factor,
    })
    return assumed(times(1), [times(0.5), times(4)], `chat-like lengths: ${how(field)}`)
  }
  const arrival: Input<'constant' | 'poisson'> =
    config && workload?.arrival
      ? givenInput(config, ['workloads', key!, 'arrival'], workload.arrival.kind)
      : assumed('poisson', ['poisson', 'poisson'], `independent clients: ${how('arrival.kind')}`)
  const pods = Math.max(1, replicas)
  return {
    requestsPerSecond: figure(
      workload?.arrival?.rate,
      ['arrival', 'rate'],
      assumed(
        pods,
        [0.2 * pods, 4 * pods],
        `a modest load of one request a second per replica: ${how('arrival.rate')}`,
      ),
    ),
    arrival,
    promptTokens: lengths('promptTokens', 512, 2048),
    outputTokens: lengths('outputTokens', 200, 600),
    durationUs: figure(
      workload?.duration,
      ['duration'],
      assumed(minutes(10), [minutes(5), minutes(60)], how('duration')),
    ),
    timeoutUs: figure(workload?.timeout, ['timeout'], assumed(minutes(2), [minutes(1), minutes(10)], how('timeout'))),
  }
}

function sloInputs(config: SeatrialConfig | undefined, key: string | undefined, workload: WorkloadConfig | undefined) {
  const slo = (part: string, inner: string | undefined, fallback: Input<number>): Input<number> => {
    for (const [slos, base] of [
      [workload?.slos, ['workloads', key ?? '', 'slos']],
      [config?.slos, ['slos']],
    ] as const) {
      const section = (slos as Record<string, unknown> | undefined)?.[part]
      const declared = (inner === undefined ? section : (section as Record<string, unknown> | undefined)?.[inner]) as
        | Declared<number>
        | undefined
      if (config && declared)
        return declaredInput(config, [...base, part, ...(inner === undefined ? [] : [inner])], declared)
    }
    return fallback
  }
  const how = (setting: string) => `a common objective for chat: give slos.${setting} in seatrial.yaml`
  return {
    availability: slo('availability', undefined, assumed(0.999, [0.99, 0.9999], how('availability'))),
    ttftP95Us: slo('ttft', 'p95', assumed(seconds(2), [seconds(1), seconds(5)], how('ttft.p95'))),
    ttftP99Us: slo('ttft', 'p99', assumed(seconds(5), [seconds(2), seconds(10)], how('ttft.p99'))),
    tpotP95Us: slo('tpot', 'p95', assumed(ms(100), [ms(50), ms(200)], how('tpot.p95'))),
    e2eP95Us: slo('e2e', 'p95', assumed(seconds(60), [seconds(30), seconds(120)], how('e2e.p95'))),
  }
}
