import { setImmediate } from 'node:timers/promises'
import type { Sandbox, Tier } from '../../sandbox/tiers/tier.ts'
import { seconds, type Us } from '../../sandbox/world/time.ts'

/** Simulated time after which the thread may do something else: some 20 ms of work under load. */
const AT_ONCE: Us = seconds(10)

/** The tier, but that its sandboxes let the thread hear of other things while time moves on. What happens in them is the same. */
export const yielding = (tier: Tier): Tier => ({
  ...tier,
  up: async (options) => {
    const sandbox = await tier.up(options)
    const { clock } = sandbox.world
    let pauseAt = clock.now + AT_ONCE
    const runUntil = async (until: Us): Promise<void> => {
      for (; pauseAt <= until; pauseAt += AT_ONCE) {
        await sandbox.runUntil(Math.max(pauseAt, clock.now))
        await setImmediate()
      }
      await sandbox.runUntil(until)
    }
    return Object.create(sandbox, { runUntil: { value: runUntil } }) as Sandbox
  },
})
