import { perform, type Task } from '../world/actor.ts'
import type { Us } from '../world/time.ts'

/** The time of the clock the task runs on. */
export const time = (): Task<Us> =>
  perform<Us>({
    start: (clock, resume) => {
      resume(clock.now)
      return undefined
    },
  })
