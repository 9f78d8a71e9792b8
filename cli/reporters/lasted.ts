import type { TrialResult } from '../../harness/verdict/verdict.ts'
import { formatDuration } from '../../sandbox/world/time.ts'

/** How long a trial was, and in which time. */
export const lastedText = ({ simulatedUs, tier }: Pick<TrialResult, 'simulatedUs' | 'tier'>): string =>
  `${formatDuration(simulatedUs)} ${tier === 'sim' ? 'simulated' : 'in wall time'}`
