import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Us } from '../../../sandbox/world/time.ts'

/** How long the monitor's own timer waits: what is beyond it is delay. */
const RESOLUTION_MS = 5

/** Measures how late this process comes to what is due. The function returned ends it: the 99th percentile. */
export function watchLoop(): () => Us {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  monitor.enable()
  return () => {
    monitor.disable()
    return Math.max(0, Math.round(monitor.percentile(99) / 1e3 - RESOLUTION_MS * 1e3))
  }
}
