import { recogniseVllm } from '../../sandbox/vllm/flags/command.ts'
import type { ClusterObject } from './reader.ts'

/** A figure as `seatrial.yaml` takes it, with how it was measured. */
export interface MeasuredFigure {
  readonly value: string
  readonly range?: readonly [string, string]
  readonly measured: string
}

interface PodObject extends ClusterObject {
  readonly spec?: {
    readonly containers?: readonly ContainerObject[]
    readonly initContainers?: readonly ContainerObject[]
  }
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly name: string
      readonly state?: { readonly running?: { readonly startedAt?: string } }
    }[]
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly lastTransitionTime?: string
    }[]
  }
}

interface ContainerObject {
  readonly name: string
  readonly image?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
}

/** Containers that run vLLM, by the name of the workload that makes their pods. */
export interface ServingPods {
  readonly workload: string
  readonly images: readonly string[]
  /** Seconds from the start of each server's process until its pod was Ready. */
  readonly loadSeconds: readonly number[]
}

/** Pods that serve models, grouped by workload. `replicaSets` lead from a pod to its Deployment. */
export function servingPods(pods: readonly ClusterObject[], replicaSets: readonly ClusterObject[]): ServingPods[] {
  const deployments = new Map(
    replicaSets.map(({ metadata }) => [
      `${metadata?.namespace}/${metadata?.name}`,
      metadata?.ownerReferences?.find(({ kind }) => kind === 'Deployment')?.name,
    ]),
  )
  const groups = new Map<string, { images: Set<string>; loadSeconds: number[] }>()
  for (const pod of pods as readonly PodObject[]) {
    const container = pod.spec?.containers?.find(isServer)
    if (!container) continue
    const workload = workloadOf(pod, deployments)
    const group = groups.get(workload) ?? { images: new Set(), loadSeconds: [] }
    for (const { image } of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])])
      if (image) group.images.add(image)
    const seconds = loadSecondsOf(pod, container.name)
    if (seconds !== undefined) group.loadSeconds.push(seconds)
    groups.set(workload, group)
  }
  return [...groups]
    .map(([workload, { images, loadSeconds }]) => ({ workload, images: [...images].sort(), loadSeconds }))
    .sort((a, b) => (a.workload < b.workload ? -1 : 1))
}

const isServer = ({ image, command, args }: ContainerObject): boolean =>
  image !== undefined &&
  recogniseVllm({ image, ...(command ? { command: [...command] } : {}), ...(args ? { args: [...args] } : {}) }).kind !==
    'other'

function workloadOf({ metadata }: PodObject, deployments: ReadonlyMap<string, string | undefined>): string {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller !== false)
  if (!owner) return metadata?.name ?? ''
  return (
    (owner.kind === 'ReplicaSet' ? deployments.get(`${metadata?.namespace}/${owner.name}`) : undefined) ?? owner.name
  )
}

/** From `startedAt` of the running container to the pod's last change to Ready: it has loaded in between. */
function loadSecondsOf({ status }: PodObject, name: string): number | undefined {
  const started = status?.containerStatuses?.find((one) => one.name === name)?.state?.running?.startedAt
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  if (!started || ready?.status !== 'True' || !ready.lastTransitionTime) return undefined
  const seconds = (Date.parse(ready.lastTransitionTime) - Date.parse(started)) / 1000
  return seconds > 0 ? seconds : undefined
}

/** The median of the starts seen and their range; undefined without one. A pod that was unready later seems slower than it was: the median stands that. */
export function loadTimeOf({ loadSeconds }: ServingPods): MeasuredFigure | undefined {
  const sorted = [...loadSeconds].sort((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const median = sorted[Math.floor((sorted.length - 1) / 2)]!
  return {
    value: `${median}s`,
    ...(sorted.length > 1 ? { range: [`${sorted[0]}s`, `${sorted.at(-1)}s`] as const } : {}),
    measured: `started to Ready, ${sorted.length} pod${sorted.length === 1 ? '' : 's'}`,
  }
}

/** Bytes of images as nodes report them, for the images that are asked for. */
export function imageSizes(
  nodes: readonly ClusterObject[],
  images: Iterable<string>,
): Record<string, { size: MeasuredFigure }> {
  const bytes = new Map<string, number>()
  for (const node of nodes) {
    const status = node['status'] as
      | { images?: readonly { names?: readonly string[]; sizeBytes?: number }[] }
      | undefined
    for (const { names = [], sizeBytes = 0 } of status?.images ?? [])
      for (const name of names) bytes.set(shortImage(name), sizeBytes)
  }
  return Object.fromEntries(
    [...new Set(images)].sort().flatMap((image) => {
      const size = bytes.get(shortImage(image))
      if (!size) return []
      return [[image, { size: { value: `${Number((size / 1e6).toFixed(1))}MB`, measured: 'node status' } }]]
    }),
  )
}

/** Nodes write the host and the path docker.io leaves out. */
const shortImage = (image: string): string =>
  image.replace(/^docker\.io\/(library\/)?/, '').replace(/^index\.docker\.io\//, '')
