import type { Platform } from '../platform.ts'
import type { InferenceServerRole } from '../roles/inference-servers.ts'
import { podTemplatesOf } from '../roles/pod-templates.ts'
import { imageFamily } from './images.ts'
import { assumed, declaredInput, type Input } from './input.ts'

/** A server with the names `seatrial.yaml` may call it. */
export interface NamedServer<R> {
  readonly server: InferenceServerRole<R>
  readonly names: readonly string[]
}

/** The size of every image the manifests name: given for the image or for the model it serves, or assumed from its family. */
export function imageInputs<R>(platform: Platform, servers: readonly NamedServer<R>[]): Record<string, Input<number>> {
  const images = new Set<string>()
  for (const object of platform.objects) {
    for (const { spec } of podTemplatesOf(object)) {
      for (const { image } of [...spec.containers, ...(spec.initContainers ?? [])])
        if (typeof image === 'string') images.add(image)
    }
  }
  return Object.fromEntries([...images].map((image) => [image, imageInput(platform, image, servers)]))
}

function imageInput<R>(platform: Platform, image: string, servers: readonly NamedServer<R>[]): Input<number> {
  const { config } = platform
  const own = config?.images?.[image]?.size
  if (config && own) return declaredInput(config, ['images', image, 'size'], own)
  for (const { server, names } of servers) {
    if (server.container.image !== image) continue
    for (const name of names) {
      const size = config?.models?.[name]?.imageSize
      if (config && size) return declaredInput(config, ['models', name, 'imageSize'], size)
    }
  }
  const { name, bytes, range } = imageFamily(image)
  return assumed(
    bytes,
    range,
    `size of an image of the family «${name}»: give images["${image}"].size in seatrial.yaml`,
  )
}
