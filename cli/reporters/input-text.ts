import type { LengthDistribution } from '../../harness/load/lengths.ts'
import { nodesText } from '../../harness/uncertain-inputs.ts'
import type { NodeGroup } from '../../sandbox/tiers/tier.ts'
import { formatDuration } from '../../sandbox/world/time.ts'

/** An input's value for people, with its unit, which its key tells (see `ListedInput`). */
export function inputText(key: string, value: unknown): string {
  if (key === 'nodes') return nodesText(value as readonly NodeGroup[])
  if (typeof value === 'number') {
    if (key.startsWith('imageBytes[')) return `${Number((value / 1e9).toPrecision(3))} GB`
    if (key.startsWith('prices[')) return `${Number(value.toPrecision(3))} $/h`
    if (key === 'registryBytesPerSecond') return `${(value / 1e6).toFixed(0)} MB/s`
    if (key.endsWith('Us')) return formatDuration(value)
    if (key.endsWith('PerSecond')) return `${Number(value.toPrecision(3))}/s`
    return /\.(availability|goodput)$/.test(key) ? `${Number((value * 100).toFixed(4))} %` : String(value)
  }
  if (typeof value === 'object' && value !== null) {
    if ('kind' in value) return lengthsText(value as LengthDistribution)
    if ('id' in value) return String(value.id)
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function lengthsText(lengths: LengthDistribution): string {
  if (lengths.kind === 'constant') return `${lengths.tokens} tokens`
  return lengths.kind === 'uniform'
    ? `${lengths.minTokens}–${lengths.maxTokens} tokens`
    : `mean ${lengths.meanTokens}, p95 ${lengths.p95Tokens} tokens`
}
