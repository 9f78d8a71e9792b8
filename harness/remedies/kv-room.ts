import { type Diagnosis, type RemedyContext, remedy } from './remedy.ts'
import { flagCandidate, flagPath, writtenValue } from './server-flags.ts'

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
