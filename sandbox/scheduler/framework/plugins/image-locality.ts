import type { Pod } from '../../../kube/objects.ts'
import { NodeColumn } from '../node-column.ts'
import type { ImageState } from '../node-info.ts'
import { plugin, type Snapshot } from '../plugin.ts'

const MIB = 1024 * 1024
const LEAST_BYTES = 23 * MIB
const MOST_BYTES_PER_CONTAINER = 1000 * MIB

interface State {
  readonly images: PodImages
  readonly containers: number
  readonly nodes: number
  /** By number of the images a node has; undefined: not worked out in this cycle. */
  readonly scores: number[]
}

/** Favours nodes that have the pod's images, less so where few nodes have them. Follows pkg/scheduler/framework/plugins/imagelocality/image_locality.go. */
export const imageLocality = plugin<undefined, State>({
  name: 'ImageLocality',
  weight: 1,
  preScore({ pod }, _, snapshot) {
    const containers = (pod.spec.initContainers?.length ?? 0) + pod.spec.containers.length
    const images = podImages(snapshot, imagesOf(pod))
    return { images, containers, nodes: snapshot.nodes.length, scores: [] }
  },
  score: (state, _, node) => scoreFor(state, state.images.on.at(node)),
  scoreAll(state, _, nodes, scores) {
    const { on } = state.images
    for (let i = 0; i < nodes.length; i++) scores[i] = scoreFor(state, on.at(nodes[i]!))
  },
})

function scoreFor(state: State, combination: number): number {
  const known = state.scores[combination]
  if (known !== undefined) return known
  const score = scoreOf(state.images.combinations[combination]!, state)
  state.scores[combination] = score
  return score
}

function scoreOf(images: readonly ImageState[], { containers, nodes }: State): number {
  let bytes = 0
  for (const image of images) bytes += Math.trunc(image.sizeBytes * (image.nodes.size / nodes))
  const most = MOST_BYTES_PER_CONTAINER * containers
  const bounded = Math.min(Math.max(bytes, LEAST_BYTES), most)
  return Math.trunc((100 * (bounded - LEAST_BYTES)) / (most - LEAST_BYTES))
}

/** Which of a pod's images nodes have. Few combinations are met, and each is given a number. */
class PodImages {
  readonly combinations: (readonly ImageState[])[] = [[]]
  /** The number of a node's combination; 0: none of the images. */
  readonly on: NodeColumn<number>

  constructor(images: readonly string[]) {
    this.on = new NodeColumn((node) => this.numberOf(images.flatMap((image) => node.images.get(image) ?? [])))
  }

  private numberOf(found: readonly ImageState[]): number {
    const { combinations } = this
    const known = combinations.findIndex((c) => c.length === found.length && c.every((image, i) => image === found[i]))
    return known < 0 ? combinations.push(found) - 1 : known
  }
}

/** Image lists kept for each cluster. */
const KEPT_MAX = 64
/** Images that come and go make new combinations: from so many on they are numbered anew. */
const COMBINATIONS_MAX = 256
const known = new WeakMap<Snapshot, Map<string, PodImages>>()

function podImages(snapshot: Snapshot, images: readonly string[]): PodImages {
  let byImages = known.get(snapshot)
  if (!byImages) {
    byImages = new Map()
    known.set(snapshot, byImages)
  }
  const key = images.join()
  let found = byImages.get(key)
  if (found && found.combinations.length <= COMBINATIONS_MAX) return found
  found = new PodImages(images)
  if (byImages.size >= KEPT_MAX) byImages.delete(byImages.keys().next().value!)
  byImages.set(key, found)
  return found
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
