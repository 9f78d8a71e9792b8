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
export function randomStream(seed: number, name: string): RandomStream {
  const generator = xoroshiro128plus(seedOf(seed, name))
  const next = () => (generator.next() >>> 0) / 0x1_0000_0000
  return {
    next,
    int: (n) => Math.floor(next() * n),
    between: (low, high) => low + next() * (high - low),
    exponential: (mean) => -mean * Math.log(1 - next()),
    normal(mean, deviation) {
      const radius = Math.sqrt(-2 * Math.log(1 - next()))
      return mean + deviation * radius * Math.cos(2 * Math.PI * next())
    },
    suffix(length) {
      let text = ''
      for (let i = 0; i < length; i++) text += ALPHANUMS[Math.floor(next() * ALPHANUMS.length)]
      return text
    },
  }
}
