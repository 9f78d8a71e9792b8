import type { ModelSpec } from '../../../fixtures/models/model.ts'
import type { Us } from '../../../sandbox/world/time.ts'
import type { ModelConfig, SeatrialConfig } from '../config/config.ts'
import { nameIn } from '../config/snapshot.ts'
import type { Platform } from '../platform.ts'
import type { InferenceServerRole } from '../roles/inference-servers.ts'
import { assumed, declaredInput, givenInput, type Input } from './input.ts'
import { specIn } from './known-models.ts'
import { type LoadInputs, loadInputs } from './load-inputs.ts'
import type { ResolveOptions } from './resolve.ts'
import { type SloInputs, sloInputs } from './slo-inputs.ts'

/** What the trials of one server need to know. */
export interface ServerInputs extends LoadInputs, SloInputs {
  /** From the start of the server's process to its first answer. */
  readonly loadTimeUs: Input<Us>
  /** CPU that the server's processes use while no request is there, in cores. */
  readonly idleCpuCores: Input<number>
  /** The model's shape, where `seatrial.yaml` gives it. */
  readonly modelSpec?: Input<ModelSpec>
}

/** `names`: how `seatrial.yaml` may call the server; the first that it uses counts. */
export function serverInputs<R>(
  platform: Platform,
  server: InferenceServerRole<R>,
  names: readonly string[],
  options: ResolveOptions<R>,
): ServerInputs {
  const { config } = platform
  const modelKey = nameIn(config, 'models', names)
  const workloadKey = nameIn(config, 'workloads', names)
  const model = modelKey === undefined ? undefined : config?.models?.[modelKey]
  const workload = workloadKey === undefined ? undefined : config?.workloads?.[workloadKey]
  const spec = modelKey === undefined ? undefined : specIn(config, modelKey)
  return {
    idleCpuCores: idleCpu(config, modelKey, model, server, options),
    loadTimeUs: loadTime(config, modelKey, model, server, options),
    ...(config && spec
      ? { modelSpec: givenInput(config, ['models', modelKey!, ...(model?.spec ? ['spec'] : [])], spec) }
      : {}),
    ...loadInputs(config, workloadKey, workload, {
      name: server.object.manifest.metadata.name,
      replicas: server.template.replicas,
    }),
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
  const spec = key === undefined ? undefined : specIn(config, key)
  const estimate = options.estimateLoad(server, {
    ...(bytesPerSecond ? { bytesPerSecond } : {}),
    ...(spec ? { model: spec } : {}),
  })
  const name = server.object.manifest.metadata.name
  return assumed(estimate.us, estimate.rangeUs, `${estimate.note}: give models.${name}.loadTime in seatrial.yaml`)
}

/** Some versions of vLLM spin while they wait, others sleep: without a figure anything up to a core, or what is taken, counts. */
function idleCpu<R>(
  config: SeatrialConfig | undefined,
  key: string | undefined,
  model: ModelConfig | undefined,
  server: InferenceServerRole<R>,
  options: ResolveOptions<R>,
): Input<number> {
  if (config && model?.idleCpu) return declaredInput(config, ['models', key!, 'idleCpu'], model.idleCpu)
  const { idleCpuCores = 0 } = options.factsOf(server)
  const how = `give models.${server.object.manifest.metadata.name}.idleCpu in seatrial.yaml`
  return assumed(idleCpuCores, [0, Math.max(1, idleCpuCores)], `${how} (kubectl top pod, with no request)`)
}
