import type { VirtualClock } from '../../sandbox/world/clock.ts'
import { toSeconds } from '../../sandbox/world/time.ts'

/** Calls one simulated second may take: a thousand times what such small clusters need. */
const PER_SECOND_MAX = 200_000

/** Time that no longer moves, or that needs ever more work to. */
export class LiveLock extends Error {
  override readonly name = 'LiveLock'
}

/** From now on the clock throws a LiveLock when one second of its time takes too many calls. */
export function guardEvents(clock: VirtualClock): void {
  let count = clock.events
  let second = Math.floor(toSeconds(clock.now))
  let before = count
  Object.defineProperty(clock, 'events', {
    get: () => count,
    set(value: number) {
      count = value
      const now = Math.floor(toSeconds(clock.now))
      if (now !== second) {
        second = now
        before = count
      } else if (count - before > PER_SECOND_MAX)
        throw new LiveLock(`more than ${PER_SECOND_MAX} calls at second ${second}`)
    },
  })
}
