import type { Input } from './input.ts'
import type { ResolvedInputs } from './resolve.ts'
import type { ServerInputs } from './server-inputs.ts'

/** An input as reports list it. */
export interface ListedInput {
  /**
   * Stable, for programs: `nodes`, `registryBytesPerSecond`, `imageBytes[IMAGE]`, `initTimesUs[CONTAINER].Us`, `prices[PRODUCT]` or `servers[SERVER ID].FIELD`, where FIELD is one of
   * `ServerInputs`. What follows the last `.` says the unit of the value.
   */
  readonly key: string
  /** For people: `Deployment/chat load time`. May change. */
  readonly name: string
  readonly input: Input<unknown>
}

/** All inputs in the order of reports. */
export function listInputs(inputs: ResolvedInputs): ListedInput[] {
  return [
    { key: 'nodes', name: 'nodes', input: inputs.nodes },
    { key: 'registryBytesPerSecond', name: 'registry bandwidth', input: inputs.registryBytesPerSecond },
    ...(inputs.provisioning
      ? [
          { key: 'provisioning.joinUs', name: 'a bought node joins', input: inputs.provisioning.joinUs },
          { key: 'provisioning.gpusUs', name: 'its GPUs follow', input: inputs.provisioning.gpusUs },
        ]
      : []),
    ...Object.entries(inputs.imageBytes).map(([image, input]) => ({
      key: `imageBytes[${image}]`,
      name: `size of ${image}`,
      input,
    })),
    ...Object.entries(inputs.initTimesUs).map(([container, input]) => ({
      key: `initTimesUs[${container}].Us`,
      name: `${container} run time`,
      input,
    })),
    ...Object.entries(inputs.prices).map(([product, input]) => ({
      key: `prices[${product}]`,
      name: `price of ${product}`,
      input,
    })),
    ...Object.entries(inputs.servers).flatMap(([id, server]) =>
      (Object.keys(NAMES) as (keyof ServerInputs)[]).flatMap((field) => {
        const input = server[field]
        return input ? [{ key: `servers[${id}].${field}`, name: `${id} ${NAMES[field]}`, input }] : []
      }),
    ),
  ]
}

const NAMES: Readonly<Record<keyof ServerInputs, string>> = {
  loadTimeUs: 'load time',
  idleCpuCores: 'idle CPU',
  modelSpec: 'model',
  requestsPerSecond: 'request rate',
  arrival: 'arrivals',
  promptTokens: 'prompt length',
  outputTokens: 'output length',
  details: 'traffic',
  durationUs: 'duration of the load',
  timeoutUs: 'client timeout',
  availability: 'availability',
  ttftP95Us: 'TTFT p95',
  ttftP99Us: 'TTFT p99',
  tpotP95Us: 'TPOT p95',
  tpotP99Us: 'TPOT p99',
  e2eP95Us: 'end-to-end latency p95',
  e2eP99Us: 'end-to-end latency p99',
  goodput: 'goodput',
}
