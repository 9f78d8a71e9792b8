import type { Check } from './check.ts'
import { containerRestarted } from './container-restarted.ts'
import { engineRefused } from './engine-refused.ts'
import { gpusIdle } from './gpus-idle.ts'
import { readyFloor } from './ready-floor.ts'
import { requestsUnserved } from './requests-unserved.ts'
import { rolloutComplete } from './rollout-complete.ts'

/** Every check by name. */
export const checks: ReadonlyMap<string, Check> = new Map(
  [containerRestarted, engineRefused, gpusIdle, readyFloor, requestsUnserved, rolloutComplete].map(
    (check) => [check.name, check as Check] as const,
  ),
)
