import type { Pod } from '../../../kube/objects.ts'
import { NodeColumn } from '../node-column.ts'
import type { ImageState } from '../node-info.ts'
import { plugin, type Snapshot } from '../plugin.ts'

const MIB = 1024 * 1024
const LEAST_BYTES = 23 * MIB
const MOST_BYTES_PER_CONTAINER = 1000 * MIB

interface State {
  /** Those of the pod's images that a node has. */
  readonly present: NodeColumn<readonly ImageState[]>
  readonly containers: number
  readonly nodes: number
}

/** Favours nodes that have the pod's images, less so where few nodes have them. Follows pkg/scheduler/framework/plugins/imagelocality/image_locality.go. */
export const imageLocality = plugin<undefined, State>({
  name: 'ImageLocality',
  weight: 1,
  preScore({ pod }, _, snapshot) {
    const containers = (pod.spec.initContainers?.length ?? 0) + pod.spec.containers.length
    return { present: presentImages(snapshot, imagesOf(pod)), containers, nodes: snapshot.nodes.length }
  },
  score({ present, containers, nodes }, _, node) {
    const images = present.at(node)
    if (images.length === 0) return 0
    let bytes = 0
    for (const image of images) bytes += Math.trunc(image.sizeBytes * (image.nodes.size / nodes))
    const most = MOST_BYTES_PER_CONTAINER * containers
    const bounded = Math.min(Math.max(bytes, LEAST_BYTES), most)
    return Math.trunc((100 * (bounded - LEAST_BYTES)) / (most - LEAST_BYTES))
  },
})

/** Image lists kept for each cluster. */
const KEPT_MAX = 64
const columns = new WeakMap<Snapshot, Map<string, NodeColumn<readonly ImageState[]>>>()
const NONE: readonly ImageState[] = []

function presentImages(snapshot: Snapshot, images: readonly string[]): NodeColumn<readonly ImageState[]> {
  let known = columns.get(snapshot)
  if (!known) {
    known = new Map()
    columns.set(snapshot, known)
  }
  const key = images.join()
  let column = known.get(key)
  if (column) return column
  column = new NodeColumn((node) => {
    const found = images.flatMap((image) => node.images.get(image) ?? [])
    return found.length === 0 ? NONE : found
  })
  if (known.size >= KEPT_MAX) known.delete(known.keys().next().value!)
  known.set(key, column)
  return column
}

function imagesOf({ spec }: Pod): string[] {
  const volumes = (spec.volumes ?? []).flatMap((v) => {
    const { image } = v as { image?: { reference?: string } }
    return image?.reference ? [image.reference] : []
  })
  return [...(spec.initContainers ?? []), ...spec.containers]
    .map((c) => c.image)
    .concat(volumes)
    .map(withTag)
}

/** As nodes report them: with a tag. */
const withTag = (image: string): string =>
  image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
