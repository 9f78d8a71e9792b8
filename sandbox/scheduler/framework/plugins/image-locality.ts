import type { Pod } from '../../../kube/objects.ts'
import { plugin } from '../plugin.ts'

const MIB = 1024 * 1024
const LEAST_BYTES = 23 * MIB
const MOST_BYTES_PER_CONTAINER = 1000 * MIB

interface State {
  readonly images: readonly string[]
  readonly containers: number
  readonly nodes: number
}

/** Favours nodes that have the pod's images, less so where few nodes have them. Follows pkg/scheduler/framework/plugins/imagelocality/image_locality.go. */
export const imageLocality = plugin<undefined, State>({
  name: 'ImageLocality',
  weight: 1,
  preScore({ pod }, _, snapshot) {
    const containers = (pod.spec.initContainers?.length ?? 0) + pod.spec.containers.length
    return { images: imagesOf(pod), containers, nodes: snapshot.nodes.length }
  },
  score({ images, containers, nodes }, _, node) {
    if (node.images.size === 0) return 0
    let bytes = 0
    for (const image of images) {
      const state = node.images.get(image)
      if (state) bytes += Math.trunc(state.sizeBytes * (state.nodes.size / nodes))
    }
    const most = MOST_BYTES_PER_CONTAINER * containers
    const bounded = Math.min(Math.max(bytes, LEAST_BYTES), most)
    return Math.trunc((100 * (bounded - LEAST_BYTES)) / (most - LEAST_BYTES))
  },
})

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
