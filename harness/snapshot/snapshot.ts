import { stringify } from 'yaml'
import { LIMITS } from '../platform/limits.ts'
import { toValue } from '../platform/value.ts'
import { parseYaml } from '../platform/yaml.ts'
import { type MeasuredNodes, measuredNodes } from './nodes.ts'
import { imageSizes, loadTimeOf, type MeasuredFigure, servingPods } from './pods.ts'
import { type MeasuredWorkload, measuredWorkloads, type Query } from './prometheus.ts'
import type { ClusterObject, ClusterReader } from './reader.ts'

/** What was measured, in the words of `seatrial.yaml`. */
export interface Snapshot {
  readonly nodes?: readonly MeasuredNodes[]
  readonly models?: Readonly<Record<string, { readonly loadTime: MeasuredFigure }>>
  readonly images?: Readonly<Record<string, { readonly size: MeasuredFigure }>>
  readonly workloads?: Readonly<Record<string, MeasuredWorkload>>
  readonly cluster: {
    readonly context: string
    readonly priorityClasses?: Readonly<Record<string, number>>
    readonly storageClasses?: readonly string[]
    readonly autoscalers?: readonly MeasuredAutoscaler[]
  }
}

interface MeasuredAutoscaler {
  readonly name: string
  readonly target: string
  readonly min?: number
  readonly max: number
  readonly current?: number
}

export interface SnapshotOptions {
  readonly reader: ClusterReader
  readonly context: string
  readonly prometheus?: { readonly query: Query; readonly window: string }
}

/** Everything that is read. Secrets and ConfigMaps are not among it. */
const PATHS = {
  nodes: '/api/v1/nodes',
  pods: '/api/v1/pods',
  replicaSets: '/apis/apps/v1/replicasets',
  autoscalers: '/apis/autoscaling/v2/horizontalpodautoscalers',
  storageClasses: '/apis/storage.k8s.io/v1/storageclasses',
  priorityClasses: '/apis/scheduling.k8s.io/v1/priorityclasses',
} as const

/** Measures a cluster by reading lists of it. Notes say what was left out, and why. */
export async function takeSnapshot({
  reader,
  context,
  prometheus,
}: SnapshotOptions): Promise<{ snapshot: Snapshot; notes: string[] }> {
  const read = async (what: keyof typeof PATHS) => (await reader.list(PATHS[what])) ?? []
  const nodeObjects = await read('nodes')
  const serving = servingPods(await read('pods'), await read('replicaSets'))
  const { nodes, notes } = measuredNodes(nodeObjects)
  const loadTimes = serving.flatMap((group) => {
    const loadTime = loadTimeOf(group)
    return loadTime ? [[group.workload, { loadTime }] as const] : []
  })
  const images = imageSizes(
    nodeObjects,
    serving.flatMap((group) => group.images),
  )
  const workloads = prometheus ? await measuredWorkloads(prometheus.query, prometheus.window) : {}
  const snapshot: Snapshot = {
    ...(nodes.length > 0 ? { nodes } : {}),
    ...filled('models', Object.fromEntries(loadTimes)),
    ...filled('images', images),
    ...filled('workloads', workloads),
    cluster: {
      context,
      ...filled('priorityClasses', priorities(await read('priorityClasses'))),
      ...listed('storageClasses', (await read('storageClasses')).map(nameOf)),
      ...listed('autoscalers', (await read('autoscalers')).flatMap(autoscaler)),
    },
  }
  return { snapshot, notes: [...notes, ...reader.unread.map(({ path, why }) => `${path}: ${why}, left out`)] }
}

const filled = <K extends string, T>(key: K, map: Record<string, T>): { [key in K]?: Record<string, T> } =>
  (Object.keys(map).length > 0 ? { [key]: map } : {}) as { [key in K]?: Record<string, T> }

const listed = <K extends string, T>(key: K, list: readonly T[]): { [key in K]?: readonly T[] } =>
  (list.length > 0 ? { [key]: list } : {}) as { [key in K]?: readonly T[] }

const nameOf = ({ metadata }: ClusterObject): string => metadata?.name ?? ''

const priorities = (objects: readonly ClusterObject[]): Record<string, number> =>
  Object.fromEntries(
    objects
      .filter((object) => !nameOf(object).startsWith('system-'))
      .map((object) => [nameOf(object), Number(object['value'] ?? 0)]),
  )

function autoscaler(object: ClusterObject): MeasuredAutoscaler[] {
  const spec = (object['spec'] ?? {}) as {
    scaleTargetRef?: { kind?: string; name?: string }
    minReplicas?: number
    maxReplicas?: number
  }
  const { currentReplicas } = (object['status'] ?? {}) as { currentReplicas?: number }
  if (!spec.scaleTargetRef?.name || !spec.maxReplicas) return []
  return [
    {
      name: `${object.metadata?.namespace ?? 'default'}/${nameOf(object)}`,
      target: `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
      ...(spec.minReplicas === undefined ? {} : { min: spec.minReplicas }),
      max: spec.maxReplicas,
      ...(currentReplicas === undefined ? {} : { current: currentReplicas }),
    },
  ]
}

/** The text of `seatrial.snapshot.yaml`: what is new in place of what was there, and what only the earlier snapshot knows. `takenOn`: `2027-01-31`. */
export function snapshotText(snapshot: Snapshot, takenOn: string, earlier?: string): string {
  const before = earlier === undefined ? {} : mapIn(earlier)
  const merged: Record<string, unknown> = { ...before }
  for (const [section, value] of Object.entries(snapshot)) {
    const byName = section === 'models' || section === 'images' || section === 'workloads'
    merged[section] = byName ? { ...(before[section] as object | undefined), ...(value as object) } : value
  }
  return [
    `# Measured by «seatrial snapshot» on ${takenOn}, context ${snapshot.cluster.context}. What seatrial.yaml says goes before it.`,
    stringify(merged, { lineWidth: 140, aliasDuplicateObjects: false }),
  ].join('\n')
}

/** The earlier file's values as they are written; nothing where it is no map. */
function mapIn(text: string): Record<string, unknown> {
  const { source, documents } = parseYaml('seatrial.snapshot.yaml', text, LIMITS)
  const value = documents[0] && toValue(documents[0].contents as Parameters<typeof toValue>[0], source, LIMITS).value
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? ({ ...value } as Record<string, unknown>)
    : {}
}
