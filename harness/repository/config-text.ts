import type { NodeGroup } from '../../sandbox/tiers/tier.ts'
import type { Us } from '../../sandbox/world/time.ts'
import type { LengthDistribution } from '../load/lengths.ts'
import type { Input } from '../platform/inputs/input.ts'
import type { ResolvedInputs } from '../platform/inputs/resolve.ts'
import type { ServerInputs } from '../platform/inputs/server-inputs.ts'
import { commandText } from '../platform/render-words.ts'
import type { Proposal } from './proposal.ts'

/** Where `init` puts the schema, relative to `seatrial.yaml`. */
export const SCHEMA_PATH = '.seatrial/seatrial.schema.json'

/** The part of `seatrial.yaml` that says where manifests are. */
export function sourcesText(name: string, { manifests, render }: Proposal): string {
  const lines = [
    `# yaml-language-server: $schema=${SCHEMA_PATH}`,
    '# What Seatrial judges, and what it is told of the cluster (docs/reference/seatrial-yaml.md).',
    `name: ${scalar(name)}`,
  ]
  if (manifests.length > 0)
    lines.push(
      '',
      '# files, folders and patterns, relative to this file',
      'manifests:',
      ...manifests.map((path) => `  - ${scalar(path)}`),
    )
  if (render.some(({ off }) => !off))
    lines.push(
      '',
      '# commands that write manifests; they run without a shell, in the folder of this file',
      'render:',
      ...render.map(({ argv, why, off }) => `  ${off ? '# ' : ''}- ${scalar(commandText(argv))}  # ${why}`),
    )
  return `${lines.join('\n')}\n`
}

/** The part with inputs: what is assumed now, as comments that are right once the `# ` is taken away. */
export function inputsText(inputs: ResolvedInputs, servers: readonly { id: string; name: string }[]): string {
  const sections = [
    nodesSection(inputs.nodes),
    ...(isAssumed(inputs.registryBytesPerSecond)
      ? [['registry:', `  bandwidth: ${megabytes(inputs.registryBytesPerSecond.value)}/s`]]
      : []),
    imagesSection(inputs.imageBytes),
    modelsSection(inputs, servers),
    workloadsSection(inputs, servers),
    slosSection(inputs.servers[servers[0]?.id ?? '']),
  ].filter((section) => section.length > 0)
  if (sections.length === 0) return ''
  return [
    '',
    '# Assumed until it is given: remove «# » and write what is so. A figure may say more:',
    '# { value: 540s, range: [500s, 700s], measured: "kubectl events, 3 starts" }',
    ...sections.flatMap((section) => ['', ...section.map((line) => `# ${line}`)]),
    '',
  ].join('\n')
}

const isAssumed = (input: Input<unknown> | undefined): boolean => input?.origin === 'assumed'

function nodesSection(nodes: Input<readonly NodeGroup[]>): string[] {
  if (!isAssumed(nodes)) return []
  return [
    'nodes:',
    ...nodes.value.flatMap(({ name, count, cpu, memory, gpu, labels }) => [
      `  - name: ${scalar(name)}`,
      `    count: ${count}`,
      `    cpu: ${JSON.stringify(cpu)}`,
      `    memory: ${/^\d+$/.test(memory) ? `${Math.round(Number(memory) / 2 ** 30)}Gi` : memory}`,
      ...(gpu ? [`    gpu: { product: ${scalar(gpu.product)}, count: ${gpu.count} }`] : []),
      ...(labels ? [`    labels: ${JSON.stringify(labels)}`] : []),
    ]),
  ]
}

function imagesSection(images: ResolvedInputs['imageBytes']): string[] {
  const assumed = Object.entries(images).filter(([, input]) => isAssumed(input))
  if (assumed.length === 0) return []
  return ['images:', ...assumed.map(([image, { value }]) => `  ${scalar(image)}: { size: ${megabytes(value)} }`)]
}

function modelsSection(
  { servers: inputs }: ResolvedInputs,
  servers: readonly { id: string; name: string }[],
): string[] {
  const lines = servers.flatMap(({ id, name }) => {
    const { loadTimeUs } = inputs[id]!
    if (!isAssumed(loadTimeUs)) return []
    return [
      `  ${scalar(name)}:`,
      `    loadTime: ${duration(loadTimeUs.value)}  # from process start to the first answer`,
    ]
  })
  return lines.length > 0 ? ['models:', ...lines] : []
}

function workloadsSection(
  { servers: inputs }: ResolvedInputs,
  servers: readonly { id: string; name: string }[],
): string[] {
  const lines = servers.flatMap(({ id, name }) => {
    const { requestsPerSecond, promptTokens, outputTokens } = inputs[id]!
    const own = [
      ...(isAssumed(requestsPerSecond) ? [`    arrival: { rate: ${figure(requestsPerSecond.value)}/s }`] : []),
      ...(isAssumed(promptTokens) ? [`    promptTokens: ${lengths(promptTokens.value)}`] : []),
      ...(isAssumed(outputTokens) ? [`    outputTokens: ${lengths(outputTokens.value)}`] : []),
    ]
    return own.length > 0 ? [`  ${scalar(name)}:`, ...own] : []
  })
  return lines.length > 0 ? ['workloads:', ...lines] : []
}

/** The objectives of all servers, as the first has them. */
function slosSection(server: ServerInputs | undefined): string[] {
  if (!server) return []
  const { availability, ttftP95Us, tpotP95Us } = server
  const lines = [
    ...(isAssumed(availability) ? [`  availability: ${figure(availability.value * 100)}%`] : []),
    ...(isAssumed(ttftP95Us) ? [`  ttft: { p95: ${duration(ttftP95Us.value)} }`] : []),
    ...(isAssumed(tpotP95Us) ? [`  tpot: { p95: ${duration(tpotP95Us.value)} }`] : []),
  ]
  return lines.length > 0 ? ['slos:', ...lines] : []
}

function lengths(given: LengthDistribution): string {
  if (given.kind === 'constant') return String(given.tokens)
  return given.kind === 'uniform'
    ? `{ min: ${given.minTokens}, max: ${given.maxTokens} }`
    : `{ mean: ${Math.round(given.meanTokens)}, p95: ${Math.round(given.p95Tokens)} }`
}

const figure = (value: number): string => String(Number(value.toPrecision(4)))
const megabytes = (bytes: number): string => (bytes >= 1e9 ? `${figure(bytes / 1e9)}GB` : `${figure(bytes / 1e6)}MB`)
const duration = (us: Us): string => (us < 1e6 ? `${Math.round(us / 1e3)}ms` : `${Math.round(us / 1e6)}s`)

/** A text as a YAML value or key: in quotes where it would be read as something else. */
const scalar = (text: string): string =>
  /^[A-Za-z./][\w./:=@+-]*( [\w./:=@+%,'-]+)*$/.test(text) &&
  !/: |:$| #|^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text)
