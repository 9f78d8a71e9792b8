import type { LengthDistribution } from '../../harness/load/lengths.ts'
import { nodesText } from '../../harness/uncertain-inputs.ts'
import type { NodeGroup } from '../../sandbox/tiers/tier.ts'
import { formatDuration } from '../../sandbox/world/time.ts'

/** An input's value for people; its unit is in its name. */
export function inputText(name: string, value: unknown): string {
  if (name === 'nodes') return nodesText(value as readonly NodeGroup[])
  if (typeof value === 'number') {
    if (name.endsWith('Us')) return formatDuration(value)
    if (name === 'registry bandwidth') return `${(value / 1e6).toFixed(0)} MB/s`
    if (name.startsWith('size of')) return `${(value / 1e9).toFixed(1)} GB`
    if (name.endsWith('PerSecond')) return `${Number(value.toPrecision(3))}/s`
    return name.endsWith('availability') ? `${Number((value * 100).toFixed(4))} %` : String(value)
  }
  if (typeof value === 'object' && value !== null && 'kind' in value) return lengthsText(value as LengthDistribution)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function lengthsText(lengths: LengthDistribution): string {
  if (lengths.kind === 'constant') return `${lengths.tokens} tokens`
  return lengths.kind === 'uniform'
    ? `${lengths.minTokens}–${lengths.maxTokens} tokens`
    : `mean ${lengths.meanTokens}, p95 ${lengths.p95Tokens} tokens`
}
