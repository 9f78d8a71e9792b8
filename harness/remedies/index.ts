import { enginePlacement } from './engine-placement.ts'
import { livenessBudget } from './liveness-budget.ts'
import { progressDeadline } from './progress-deadline.ts'
import type { Remedy } from './remedy.ts'
import { rolloutRoom } from './rollout-room.ts'
import { startupBudget } from './startup-budget.ts'

/** Every remedy. The first that knows the cause is asked. */
export const remedies: readonly Remedy[] = [
  enginePlacement,
  livenessBudget,
  progressDeadline,
  rolloutRoom,
  startupBudget,
]
