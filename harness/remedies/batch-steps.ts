import { type Diagnosis, remedy } from './remedy.ts'
import { flagCandidate, flagPath } from './server-flags.ts'

const MAX_NUM_SEQS = ['--max-num-seqs']
const MAX_TOKENS = ['--max-num-batched-tokens']
/** What people set them to. */
const REQUESTS = [256, 128, 64, 32]
const TOKENS = [4096, 2048, 1024, 512]

/** A burst that nothing holds back fills every step, with prompts and with requests, and answers under way wait for all of it. */
export const batchSteps = remedy({
  causes: ['slo-tpot'],
  diagnose(context): Diagnosis | undefined {
    const { step } = context.server
    // a fault explains slow steps better
    if (context.faults.length > 0 || !step) return undefined
    return {
      path: flagPath(context, MAX_TOKENS),
      says: `nothing sheds load, and a step takes up to ${step.tokens} tokens of prompts and ${step.requests} requests: all answers get slower together`,
      candidates: [
        ...TOKENS.filter((tokens) => tokens < step.tokens).flatMap((tokens) =>
          flagCandidate(context, MAX_TOKENS, String(tokens)),
        ),
        ...REQUESTS.filter((requests) => requests < step.requests).flatMap((requests) =>
          flagCandidate(context, MAX_NUM_SEQS, String(requests)),
        ),
      ],
      guess: true,
    }
  },
})
