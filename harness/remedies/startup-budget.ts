import { toSeconds } from '../../sandbox/world/time.ts'
import { misdirected } from './misdirected.ts'
import { containerPath, failuresWhileLoading, remedy, serverContainer } from './remedy.ts'

/** A startup probe that gives up before the weights are loaded. */
export const startupBudget = remedy({
  causes: ['startup-probe-kills-loading'],
  diagnose(context) {
    const { startupProbe } = serverContainer(context)
    if (!startupProbe) return undefined
    const elsewhere = misdirected(context, 'startupProbe')
    if (elsewhere) return elsewhere
    const { initialDelaySeconds = 0, periodSeconds, failureThreshold } = startupProbe
    const budget = initialDelaySeconds + periodSeconds * failureThreshold
    const wanted = failuresWhileLoading(context.loadTimeUs, periodSeconds)
    // a budget that is long enough is not what killed it
    if (wanted <= failureThreshold) return undefined
    const path = `${containerPath(context)}.startupProbe.failureThreshold`
    return {
      path,
      says: `startupProbe allows ${budget} s (failureThreshold ${failureThreshold} × periodSeconds ${periodSeconds}); loading takes ${Math.round(toSeconds(context.loadTimeUs))} s`,
      candidates: [{ says: `startupProbe.failureThreshold: ${wanted}`, changes: [{ path, value: wanted }] }],
    }
  },
})
