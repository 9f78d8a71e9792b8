import type { NodeGroup } from '../sandbox/tiers/tier.ts'
import { formatDuration } from '../sandbox/world/time.ts'
import { callOf } from './expectations/check.ts'
import type { Overrides, UncertainInput } from './judgeable.ts'
import { type LengthDistribution, meanLength } from './load/lengths.ts'
import type { Input } from './platform/inputs/input.ts'
import type { ResolvedInputs } from './platform/inputs/resolve.ts'
import type { Scenario } from './scenario.ts'
import { percent } from './slo/objective.ts'

/** The inputs of a server's trials that may be others: assumed, or given with a range. The more favourable end comes first. */
export function uncertainInputs(inputs: ResolvedInputs, serverId: string, image: string): UncertainInput[] {
  const server = inputs.servers[serverId]!
  const imageBytes = inputs.imageBytes[image]
  return [
    one('nodes', inputs.nodes, nodesText, (nodes) => ({ nodes }), 'high'),
    one('load time', server.loadTimeUs, formatDuration, (loadTimeUs) => ({ loadTimeUs }), 'low'),
    inputs.provisioning &&
      one('a bought node joins', inputs.provisioning.joinUs, formatDuration, (joinUs) => ({ joinUs }), 'low'),
    inputs.provisioning &&
      one('its GPUs follow', inputs.provisioning.gpusUs, formatDuration, (gpusUs) => ({ gpusUs }), 'low'),
    one(
      'registry bandwidth',
      inputs.registryBytesPerSecond,
      perSecond,
      (registryBytesPerSecond) => ({ registryBytesPerSecond }),
      'high',
    ),
    initTimes(inputs, serverId),
    ...(imageBytes ? [one('image', imageBytes, gigabytes, (bytes) => ({ imageBytes: bytes }), 'low')] : []),
    one(
      'request rate',
      server.requestsPerSecond,
      (rate) => `${round(rate)}/s`,
      (requestsPerSecond) => ({ requestsPerSecond }),
      'low',
    ),
    one('prompt length', server.promptTokens, tokensText, (promptTokens) => ({ promptTokens }), 'low'),
    one('output length', server.outputTokens, tokensText, (outputTokens) => ({ outputTokens }), 'low'),
    scaledBy(one('idle CPU', server.idleCpuCores, coresText, (idleCpuCores) => ({ idleCpuCores }), 'low')),
    promised(one('availability', server.availability, percent, (availability) => ({ availability }), 'low')),
    promised(one('TTFT p95', server.ttftP95Us, formatDuration, (ttftP95Us) => ({ ttftP95Us }), 'high')),
    promised(one('TPOT p95', server.tpotP95Us, formatDuration, (tpotP95Us) => ({ tpotP95Us }), 'high')),
  ].flatMap((input) => input ?? [])
}

/** The run times of a server's init containers, all at one end together. */
function initTimes({ initTimesUs }: ResolvedInputs, serverId: string): UncertainInput | undefined {
  const own = Object.entries(initTimesUs).filter(([key]) => key.slice(0, key.lastIndexOf('/')) === serverId)
  const ranged = own.flatMap(([key, { range, value }]) => (range ? [{ key, range, value }] : []))
  if (ranged.length === 0) return undefined
  const end = (i: 0 | 1) => ({
    value: formatDuration(ranged.reduce((sum, { range }) => sum + range[i], 0)),
    overrides: { initTimesUs: Object.fromEntries(ranged.map(({ key, range }) => [key, range[i]])) },
  })
  const { origin, note } = own.find(([, input]) => input.range)![1]
  const names = ranged.map(({ key }) => key.slice(key.lastIndexOf('/') + 1)).join(', ')
  return {
    name: `run time of init container ${names}`,
    origin,
    value: formatDuration(ranged.reduce((sum, { value }) => sum + value, 0)),
    ends: [end(0), end(1)],
    howToGive: note,
  }
}

/** Whether an input may turn the verdict of one of the scenarios. */
export const mattersTo = ({ judgedBy, forRole }: UncertainInput, ...scenarios: readonly Scenario[]): boolean =>
  scenarios.some(
    ({ needs, during, after }) =>
      (forRole === undefined || needs.some(({ role }) => role === forRole)) &&
      (judgedBy === undefined ||
        [...during, ...after].some((expectation) => judgedBy.includes(callOf(expectation).check))),
  )

/** Only an autoscaler can notice it. */
const scaledBy = (input: UncertainInput | undefined): UncertainInput | undefined =>
  input && { ...input, forRole: 'autoscaler' }

const coresText = (cores: number): string => `${cores} cores`

/** An objective: only what judges objectives asks for it. */
const promised = (input: UncertainInput | undefined): UncertainInput | undefined =>
  input && { ...input, judgedBy: ['sloHeld', 'sloRecovered'] }

function one<T>(
  name: string,
  input: Input<T>,
  text: (value: T) => string,
  override: (value: T) => Overrides,
  better: 'low' | 'high',
): UncertainInput | undefined {
  if (!input.range) return undefined
  const ends = input.range.map((value) => ({ value: text(value), overrides: override(value) }))
  const [low, high] = [ends[0]!, ends[1]!]
  return {
    name,
    origin: input.origin,
    value: text(input.value),
    ends: better === 'low' ? [low, high] : [high, low],
    howToGive: input.note,
  }
}

export const nodesText = (nodes: readonly NodeGroup[]): string =>
  nodes
    .map(({ count, gpu, name, nodePool }) =>
      nodePool
        ? `NodePool ${nodePool}${gpu ? ` (${gpu.count} ${gpuName(gpu.product)})` : ''}`
        : gpu
          ? `${count} × ${gpu.count} ${gpuName(gpu.product)}`
          : `${count} × ${name}`,
    )
    .join(' + ')

/** `H100` of `NVIDIA-H100-80GB-HBM3`. */
const gpuName = (product: string): string => product.split('-').find((part) => /\d/.test(part)) ?? product

const round = (n: number): number => Number(n.toPrecision(3))
const gigabytes = (bytes: number): string => `${round(bytes / 1e9)} GB`
const perSecond = (bytes: number): string => `${round(bytes / 1e6)} MB/s`
const tokensText = (lengths: LengthDistribution): string => `${Math.round(meanLength(lengths))} tokens`
