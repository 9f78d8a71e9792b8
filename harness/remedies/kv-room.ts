import { findFlag, setFlag } from './flags.ts'
import { type Candidate, containerPath, type Diagnosis, type RemedyContext, remedy, serverContainer } from './remedy.ts'

const MAX_NUM_SEQS = ['--max-num-seqs']
const UTILIZATION = ['--gpu-memory-utilization']
const KV_DTYPE = ['--kv-cache-dtype']
/** Shares of the requests that fitted when the cache was full: they were not at their full length then. */
const SHARES = [0.75, 0.5, 0.33]

/** A batch that grows beyond what the KV cache holds, or beyond what a step may take. */
export const kvRoom = remedy({
  causes: ['kv-preemption-storm', 'throughput-collapse'],
  diagnose(context): Diagnosis {
    const { fits } = context.broken
    const given = writtenValue(context, MAX_NUM_SEQS)
    const lets = given === undefined ? 'is not given and lets in hundreds' : `${given} lets in more than that`
    const low = isLowUtilization(context)
    return {
      path: flagPath(context, low ? UTILIZATION : MAX_NUM_SEQS),
      says: low
        ? `--gpu-memory-utilization ${writtenValue(context, UTILIZATION)} leaves the KV cache less than vLLM would take`
        : `the KV cache was full with ${fits ?? 'the'} requests, and --max-num-seqs ${lets}`,
      candidates: [
        ...(low ? flagCandidate(context, UTILIZATION, undefined) : []),
        ...(fits === undefined
          ? []
          : SHARES.flatMap((share) =>
              flagCandidate(context, MAX_NUM_SEQS, String(Math.max(1, Math.floor((share * fits) / 4) * 4))),
            )),
        ...(writtenValue(context, KV_DTYPE) === undefined ? flagCandidate(context, KV_DTYPE, 'fp8') : []),
      ],
    }
  },
})

/** Below what vLLM takes by itself, in any version. */
const isLowUtilization = (context: RemedyContext): boolean => Number(writtenValue(context, UTILIZATION) ?? 1) < 0.9

function flagCandidate(context: RemedyContext, names: readonly string[], value: string | undefined): Candidate[] {
  const change = setFlag(serverContainer(context), containerPath(context), names, value)
  if (!change) return []
  return [{ says: value === undefined ? `without ${names[0]}` : `${names[0]} ${value}`, changes: [change] }]
}

/** As it is written; undefined where it is not, or stands in a script. */
function writtenValue(context: RemedyContext, names: readonly string[]): string | undefined {
  const container = serverContainer(context)
  const place = findFlag(container, names)
  if (!place || place.form === 'script') return undefined
  const items = container[place.field]!
  const item = items[place.index]!
  return place.form === 'equals' ? item.slice(item.indexOf('=') + 1) : items[place.index + 1]
}

/** Where the flag stands; the arguments where it is not given. */
function flagPath(context: RemedyContext, names: readonly string[]): string {
  const container = serverContainer(context)
  const place = findFlag(container, names)
  const path = containerPath(context)
  if (place) return `${path}.${place.field}[${place.index}]`
  return container.args || !container.command ? `${path}.args` : `${path}.command`
}
