import type { Container, Pod } from '../kube/objects.ts'
import { perform, type Task } from '../world/actor.ts'
import type { Clock } from '../world/clock.ts'
import type { Us } from '../world/time.ts'
import { type Backoff, imageBackoff } from './backoff.ts'
import { InvalidReference, type NormalReference, normalReference } from './image-reference.ts'
import type { Registry } from './registry.ts'
import { goDuration } from './timings.ts'

/** Why a container cannot start yet: the waiting reason and message of its status. */
export interface StartFailure {
  readonly reason: string
  readonly message: string
  /** When trying again can help, where that is known. */
  readonly retryAt?: Us
}

export interface ImageManagerOptions {
  readonly clock: Clock
  readonly registry: Registry
  /** Pulling and unpacking together. */
  readonly bytesPerSecond: number
  readonly resolveTakes: Us
  /** Upstream's default is one pull at a time. */
  readonly serialize: boolean
  /** Images on the node from the start. */
  readonly cached: readonly string[]
  event(pod: Pod, level: 'Normal' | 'Warning', reason: string, message: string): void
  changed(): void
}

/** A node's images: what is there, and pulling what is not. Follows pkg/kubelet/images/{image_manager,puller}.go. */
export class ImageManager {
  private readonly options: ImageManagerOptions
  private readonly present = new Map<string, number>()
  private readonly backoff: Backoff = imageBackoff()
  private readonly lastErrors = new Map<string, string>()
  private queue: (() => void)[] = []
  private pulling = false

  constructor(options: ImageManagerOptions) {
    this.options = options
    for (const image of options.cached) this.present.set(withTag(image), options.registry.images(image)?.sizeBytes ?? 0)
  }

  /** For `status.images` of the node: the largest first, at most 50. */
  list(): { names: string[]; sizeBytes: number }[] {
    return [...this.present]
      .map(([name, sizeBytes]) => ({ names: [name], sizeBytes }))
      .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.names[0]! < b.names[0]! ? -1 : 1))
      .slice(0, 50)
  }

  /** Makes sure that the container's image is on the node. Undefined: it is. */
  *ensure(pod: Pod, container: Container): Task<StartFailure | undefined> {
    const { event } = this.options
    const { image, imagePullPolicy } = container
    const invalid = whyInvalid(image)
    if (invalid) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${invalid}`
      event(pod, 'Warning', 'InspectFailed', message)
      return { reason: 'InvalidImageName', message }
    }
    const there = this.present.has(withTag(image))
    if (imagePullPolicy === 'Never' && !there) {
      const message = `Container image "${image}" is not present with pull policy of Never`
      event(pod, 'Warning', 'ErrImageNeverPull', message)
      return { reason: 'ErrImageNeverPull', message }
    }
    if (there && imagePullPolicy !== 'Always') {
      event(
        pod,
        'Normal',
        'Pulled',
        `Container image "${image}" already present on machine and can be accessed by the pod`,
      )
      return undefined
    }
    return yield* this.pull(pod, image)
  }

  forget(podUid: string): void {
    this.backoff.forget(`${podUid}_`)
    for (const key of this.lastErrors.keys()) if (key.startsWith(`${podUid}_`)) this.lastErrors.delete(key)
  }

  private *pull(pod: Pod, image: string): Task<StartFailure | undefined> {
    const { clock, event } = this.options
    const key = `${pod.metadata.uid}_${image}`
    if (this.backoff.isActiveSinceUpdate(key, clock.now)) {
      const message = `Back-off pulling image "${image}"`
      event(pod, 'Normal', 'BackOff', message)
      const last = this.lastErrors.get(key)
      return { reason: 'ImagePullBackOff', message: last ? `${message}: ${last}` : message }
    }
    event(pod, 'Normal', 'Pulling', `Pulling image "${image}"`)
    const askedAt = clock.now
    const { error, startedAt } = yield* this.inTurn(image)
    if (error) {
      event(pod, 'Warning', 'Failed', `Failed to pull image "${image}": ${error}`)
      this.backoff.next(key, clock.now, clock.now)
      this.lastErrors.set(key, `ErrImagePull: ${error}`)
      return { reason: 'ErrImagePull', message: error }
    }
    const size = this.present.get(withTag(image)) ?? 0
    const [took, waited] = [goDuration(clock.now - startedAt), goDuration(clock.now - askedAt)]
    const done = `Successfully pulled image "${image}" in ${took} (${waited} including waiting). Image size: ${size} bytes.`
    event(pod, 'Normal', 'Pulled', done)
    return undefined
  }

  private *inTurn(image: string): Task<{ error?: string; startedAt: Us }> {
    return yield* perform<{ error?: string; startedAt: Us }>({
      start: (_clock, resume) => {
        let abort: (() => void) | undefined
        const begin = () => {
          this.pulling = true
          const startedAt = this.options.clock.now
          abort = this.download(image, (error) => {
            this.next()
            resume(error === undefined ? { startedAt } : { error, startedAt })
          })
        }
        if (this.options.serialize && this.pulling) this.queue.push(begin)
        else begin()
        return () => {
          if (!abort) this.queue = this.queue.filter((b) => b !== begin)
          else {
            abort()
            this.next()
          }
        }
      },
    })
  }

  private next(): void {
    this.pulling = false
    this.queue.shift()?.()
  }

  private download(image: string, done: (error?: string) => void): () => void {
    const { clock, registry, resolveTakes, bytesPerSecond } = this.options
    let giveUp: () => void
    const timer = clock.after(resolveTakes, () => {
      const reference = normalReference(withTag(image))
      const info = registry.images(image)
      if (!info || isNoHost(reference)) {
        done(isNoHost(reference) ? noSuchHost(reference) : notFound(reference))
        return
      }
      const finish = () => {
        this.present.set(withTag(image), info.sizeBytes)
        this.options.changed()
        done()
      }
      // layers that are there already are not sent again
      if (this.present.has(withTag(image))) finish()
      else giveUp = registry.download(info.sizeBytes, bytesPerSecond, finish)
    })
    giveUp = () => timer.cancel()
    return () => giveUp()
  }
}

/** The image with `:latest` where it names no version. */
export const withTag = (image: string): string =>
  image.includes('@') || /:[^/]*$/.test(image) ? image : `${image}:latest`

/** Names found sound: few images run in many pods. */
const sound = new Set<string>()
const SOUND_MAX = 1000

function whyInvalid(image: string): string | undefined {
  if (sound.has(image)) return undefined
  try {
    normalReference(image)
  } catch (error) {
    if (error instanceof InvalidReference) return error.message
    throw error
  }
  if (sound.size < SOUND_MAX) sound.add(image)
  return undefined
}

/** An upper-case namespace is read as a host's name. */
const isNoHost = ({ domain }: NormalReference): boolean => domain !== 'localhost' && !/[.:]/.test(domain)

/** As containerd says it. */
const notFound = ({ full }: NormalReference): string =>
  `rpc error: code = NotFound desc = failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${full}: not found`

function noSuchHost({ domain, full }: NormalReference): string {
  const [, path, version] = /^[^/]*\/([^:@]*)(?::[^@]*@|[:@])(.*)$/.exec(full)!
  return `rpc error: code = Unknown desc = failed to pull and unpack image "${full}": failed to resolve reference "${full}": failed to do request: Head "https://${domain}/v2/${path}/manifests/${version}": dial tcp: lookup ${domain}: no such host`
}
