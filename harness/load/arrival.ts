import type { RandomStream } from '../../sandbox/world/random.ts'
import { normalSampler } from './normal.ts'

/** How far apart independent requests come. */
export type ArrivalKind = 'constant' | 'poisson' | 'gamma' | 'weibull'

/**
 * Gaps of mean 1 of a renewal process. `cv` is their coefficient of variation: 1 is as a Poisson process, more comes in bursts, less is more
 * even; constant and Poisson have their own. The first gap of a gamma or Weibull process is drawn as an observer who comes at any time sees
 * it (the equilibrium distribution), so that the expected count is the rate times the time from the start on.
 */
export function gaps(kind: ArrivalKind, cv: number, random: RandomStream): () => number {
  if (kind === 'constant' || cv === 0) return () => 1
  if (kind === 'poisson') return () => random.exponential(1)
  const { gap, lengthBiased } = kind === 'gamma' ? gammaGaps(cv, random) : weibullGaps(cv, random)
  let first = true
  return () => {
    if (!first) return gap()
    first = false
    return lengthBiased() * random.next()
  }
}

interface Gaps {
  gap(): number
  /** A gap in which a time chosen at random lies: its density is the gap's times the length. */
  lengthBiased(): number
}

function gammaGaps(cv: number, random: RandomStream): Gaps {
  const shape = 1 / cv ** 2
  const [gap, biased] = [gammaSampler(shape, random), gammaSampler(shape + 1, random)]
  return { gap: () => gap() / shape, lengthBiased: () => biased() / shape }
}

function weibullGaps(cv: number, random: RandomStream): Gaps {
  const shape = weibullShape(cv)
  const scale = 1 / gamma(1 + 1 / shape)
  const biased = gammaSampler(1 + 1 / shape, random)
  return {
    gap: () => scale * random.exponential(1) ** (1 / shape),
    lengthBiased: () => scale * biased() ** (1 / shape),
  }
}

/** Marsaglia and Tsang, A simple method for generating gamma variables (2000); scale 1. */
function gammaSampler(shape: number, random: RandomStream): () => number {
  if (shape < 1) {
    const larger = gammaSampler(shape + 1, random)
    return () => larger() * (1 - random.next()) ** (1 / shape)
  }
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  const normal = normalSampler(random)
  return () => {
    for (;;) {
      const x = normal()
      const root = 1 + c * x
      if (root <= 0) continue
      const v = root * root * root
      const u = 1 - random.next()
      // a bound below the density, which spares the logarithms
      if (u < 1 - 0.0331 * x * x * x * x) return d * v
      if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
    }
  }
}

/** The shape whose coefficient of variation is `cv`, by halving: it falls as the shape rises. */
function weibullShape(cv: number): number {
  const cvOf = (shape: number) => Math.sqrt(gamma(1 + 2 / shape) / gamma(1 + 1 / shape) ** 2 - 1)
  let [low, high] = [0.1, 100]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (cvOf(middle) > cv) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Lanczos' approximation (g = 7, 9 terms), for arguments above 0.5. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

function gamma(x: number): number {
  const z = x - 1
  const sum = LANCZOS.reduce((total, c, i) => (i === 0 ? c : total + c / (z + i)), 0)
  const t = z + 7.5
  return Math.sqrt(2 * Math.PI) * t ** (z + 0.5) * Math.exp(-t) * sum
}
