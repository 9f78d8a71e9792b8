import type { Clock, Timer } from '../world/clock.ts'
import type { Us } from '../world/time.ts'

/** What the registry knows of an image. */
export interface ImageInfo {
  /** Compressed, all layers, as the runtime reports it. */
  readonly sizeBytes: number
}

/** The images there are; undefined for one the registry does not have. */
export type ImageSource = (image: string) => ImageInfo | undefined

interface Download {
  remainingBytes: number
  readonly bytesPerSecond: number
  since: Us
  timer: Timer | undefined
  readonly done: () => void
}

/** Where nodes pull from. A lever scales how fast it sends, also for pulls under way; 0 stalls them. */
export class Registry {
  readonly images: ImageSource
  private readonly clock: Clock
  private factor = 1
  private readonly downloads = new Set<Download>()

  constructor(options: { clock: Clock; images: ImageSource }) {
    this.clock = options.clock
    this.images = options.images
  }

  /** Bandwidth relative to what each node can take. */
  setBandwidthFactor(factor: number): void {
    for (const download of this.downloads) this.settle(download)
    this.factor = factor
    for (const download of this.downloads) this.schedule(download)
  }

  /** Sends `bytes` at the node's own pace times the factor. Returns how to give up. */
  download(bytes: number, bytesPerSecond: number, done: () => void): () => void {
    const download: Download = { remainingBytes: bytes, bytesPerSecond, since: this.clock.now, timer: undefined, done }
    this.downloads.add(download)
    this.schedule(download)
    return () => {
      download.timer?.cancel()
      this.downloads.delete(download)
    }
  }

  private settle(download: Download): void {
    const elapsed = this.clock.now - download.since
    download.remainingBytes -= (elapsed / 1e6) * download.bytesPerSecond * this.factor
    download.since = this.clock.now
    download.timer?.cancel()
  }

  private schedule(download: Download): void {
    download.timer = undefined
    if (this.factor <= 0) return
    const takes = Math.max(0, download.remainingBytes / (download.bytesPerSecond * this.factor)) * 1e6
    download.timer = this.clock.after(Math.ceil(takes), () => {
      this.downloads.delete(download)
      download.done()
    })
  }
}
