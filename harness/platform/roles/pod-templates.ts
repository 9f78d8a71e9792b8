import type { Container, PodSpec } from '../../../sandbox/kube/objects.ts'
import { type FieldPath, valueAt } from '../path.ts'
import type { PlatformObject } from '../platform.ts'

/** A pod template in an object, as written: nothing is defaulted, so only `containers` is sure to be there. */
export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: WrittenPodSpec
  /** Where the pod spec is in the object: `['spec', 'template', 'spec']`. */
  readonly path: FieldPath
  /** Pods it makes when nothing scales it. */
  readonly replicas: number
}

export type WrittenContainer = Partial<Container> & Pick<Container, 'name'>
export type WrittenPodSpec = Partial<Omit<PodSpec, 'containers' | 'initContainers'>> & {
  readonly containers: readonly WrittenContainer[]
  readonly initContainers?: readonly WrittenContainer[]
}

const TEMPLATES: Readonly<Record<string, FieldPath>> = {
  'v1/Pod': [],
  'v1/ReplicationController': ['spec', 'template'],
  'apps/v1/Deployment': ['spec', 'template'],
  'apps/v1/StatefulSet': ['spec', 'template'],
  'apps/v1/DaemonSet': ['spec', 'template'],
  'apps/v1/ReplicaSet': ['spec', 'template'],
  'batch/v1/Job': ['spec', 'template'],
  'batch/v1/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
}

/** The pod templates of an object. In custom resources every map with a list of `containers` counts as one (Rollout, LeaderWorkerSet, …). */
export function podTemplatesOf(object: PlatformObject): PodTemplate[] {
  const { apiVersion, kind } = object.manifest
  const known = TEMPLATES[`${apiVersion}/${kind}`]
  if (known) {
    const template = templateAt(object, known)
    return template ? [template] : []
  }
  if (object.schema === 'kubernetes') return []
  return specsWithin(object.manifest, []).flatMap(
    (path) => templateAt(object, path.at(-1) === 'spec' ? path.slice(0, -1) : path, path) ?? [],
  )
}

function templateAt(
  object: PlatformObject,
  at: FieldPath,
  specPath: FieldPath = [...at, 'spec'],
): PodTemplate | undefined {
  const spec = valueAt(object.manifest, specPath)
  if (!isMap(spec) || !Array.isArray(spec['containers'])) return undefined
  const metadata = valueAt(object.manifest, [...at, 'metadata'])
  const part = (field: string) =>
    isMap(metadata) && isMap(metadata[field]) ? (metadata[field] as Record<string, string>) : {}
  return {
    labels: part('labels'),
    annotations: part('annotations'),
    spec: withoutNulls(spec) as unknown as WrittenPodSpec,
    path: specPath,
    replicas: replicasOf(object),
  }
}

/** A field without a value (`initContainers:`) is as good as absent, as to the API server; containers are looked into, what is deeper is not. */
function withoutNulls(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const told = holdsNull(spec) ? Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null)) : spec
  const lists = (['containers', 'initContainers'] as const).filter(
    (field) => Array.isArray(told[field]) && (told[field] as unknown[]).some((one) => isMap(one) && holdsNull(one)),
  )
  if (lists.length === 0) return told
  const cleaned = lists.map((field) => [
    field,
    (told[field] as unknown[]).map((one) => (isMap(one) ? withoutNulls(one) : one)),
  ])
  return { ...told, ...Object.fromEntries(cleaned) }
}

const holdsNull = (fields: Readonly<Record<string, unknown>>): boolean =>
  Object.values(fields).some((value) => value === null)

function replicasOf(object: PlatformObject): number {
  const { kind } = object.manifest
  const spec = object.manifest['spec']
  const fields = isMap(spec) ? spec : {}
  const given = kind === 'Job' ? fields['parallelism'] : fields['replicas']
  return typeof given === 'number' ? given : 1
}

/** Paths of maps that look like pod specs, the outermost of each branch. */
function specsWithin(value: unknown, path: FieldPath): FieldPath[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => specsWithin(item, [...path, i]))
  if (!isMap(value)) return []
  const containers = value['containers']
  if (
    Array.isArray(containers) &&
    containers.length > 0 &&
    containers.every((c) => isMap(c) && typeof c['name'] === 'string')
  )
    return [path]
  return Object.entries(value).flatMap(([key, item]) => (key === 'status' ? [] : specsWithin(item, [...path, key])))
}

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
