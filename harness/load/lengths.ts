import type { RandomStream } from '../../sandbox/world/random.ts'
import { normalSampler } from './normal.ts'

/** How many tokens a prompt or an answer has. */
export type LengthDistribution =
  | { readonly kind: 'constant'; readonly tokens: number }
  | { readonly kind: 'uniform'; readonly minTokens: number; readonly maxTokens: number }
  | { readonly kind: 'lognormal'; readonly meanTokens: number; readonly p95Tokens: number }

/** A whole number of tokens, 1 or more. */
export const sampleLength = (distribution: LengthDistribution, random: RandomStream): number =>
  lengthSampler(distribution, random)()

/** Draws one length a call, each a whole number of tokens, 1 or more. */
export function lengthSampler(distribution: LengthDistribution, random: RandomStream): () => number {
  switch (distribution.kind) {
    case 'constant': {
      const { tokens } = distribution
      return () => tokens
    }
    case 'uniform': {
      const { minTokens, maxTokens } = distribution
      return () => minTokens + random.int(maxTokens - minTokens + 1)
    }
    case 'lognormal': {
      const { mu, sigma } = logParameters(distribution)
      const normal = normalSampler(random)
      return () => Math.max(1, Math.round(Math.exp(mu + sigma * normal())))
    }
  }
}

export function meanLength(distribution: LengthDistribution): number {
  if (distribution.kind === 'constant') return distribution.tokens
  return distribution.kind === 'uniform'
    ? (distribution.minTokens + distribution.maxTokens) / 2
    : distribution.meanTokens
}

/** What 5 % of them exceed at most; the longest where there is one. */
export function longLength(distribution: LengthDistribution): number {
  if (distribution.kind === 'constant') return distribution.tokens
  return distribution.kind === 'uniform' ? distribution.maxTokens : distribution.p95Tokens
}

/** The standard normal's 95th percentile. */
const Z95 = 1.6448536269514722

/** Of the logarithm: from mean = e^(μ + σ²/2) and p95 = e^(μ + z σ). A p95 beyond what any σ gives is taken at its largest. */
function logParameters({ meanTokens, p95Tokens }: { meanTokens: number; p95Tokens: number }): {
  mu: number
  sigma: number
} {
  const ratio = Math.log(Math.max(p95Tokens / meanTokens, 1))
  const sigma = Z95 - Math.sqrt(Math.max(0, Z95 ** 2 - 2 * ratio))
  return { mu: Math.log(meanTokens) - sigma ** 2 / 2, sigma }
}
