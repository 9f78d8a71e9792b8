import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** One actor's own stream of chance. */
export interface RandomStream {
  /** A float in [0, 1) with 32 bits. */
  next(): number
  /** An integer in [0, n). */
  int(n: number): number
  /** A float in [low, high). */
  between(low: number, high: number): number
  /** Exponentially distributed with the given mean. */
  exponential(mean: number): number
  /** Normally distributed. */
  normal(mean: number, deviation: number): number
  /** `length` characters as Kubernetes' `rand.String` draws them: no vowels, nothing easily misread. */
  suffix(length: number): string
}

/** FNV-1a over the name, mixed with the seed: streams of different names are unrelated. */
function seedOf(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed
  for (let i = 0; i < name.length; i++) {
    hash ^= name.charCodeAt(i)
    hash = Math.imul(hash, 0x01000193)
  }
  hash ^= hash >>> 16
  return Math.imul(hash, 0x85ebca6b) | 0
}

/** The alphabet of k8s.io/apimachinery/pkg/util/rand. */
const ALPHANUMS = 'bcdfghjklmnpqrstvwxz2456789'

/** A stream that depends on nothing but the seed and the name. */
export const randomStream = (seed: number, name: string): RandomStream => new NamedStream(seed, name)

/** Its generator is made when it is first asked: many streams never are. */
class NamedStream implements RandomStream {
  private readonly seed: number
  private readonly name: string
  private generator: ReturnType<typeof xoroshiro128plus> | undefined

  constructor(seed: number, name: string) {
    this.seed = seed
    this.name = name
  }

  next(): number {
    this.generator ??= xoroshiro128plus(seedOf(this.seed, this.name))
    return (this.generator.next() >>> 0) / 0x1_0000_0000
  }

  int(n: number): number {
    return Math.floor(this.next() * n)
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }

  normal(mean: number, deviation: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.next())
  }

  suffix(length: number): string {
    let text = ''
    for (let i = 0; i < length; i++) text += ALPHANUMS[this.int(ALPHANUMS.length)]
    return text
  }
}
