import { toSeconds } from '../../sandbox/world/time.ts'
import { misdirected } from './misdirected.ts'
import { failuresWhileLoading, killedContainer, remedy } from './remedy.ts'

/** A startup probe that gives up before the weights are loaded. */
export const startupBudget = remedy({
  causes: ['startup-probe-kills-loading'],
  diagnose(context) {
    const { container, path: at } = killedContainer(context)
    const { startupProbe } = container
    if (!startupProbe) return undefined
    const elsewhere = container.name === context.subject.container && misdirected(context, 'startupProbe')
    if (elsewhere) return elsewhere
    const { initialDelaySeconds = 0, periodSeconds, failureThreshold } = startupProbe
    const budget = initialDelaySeconds + periodSeconds * failureThreshold
    const wanted = failuresWhileLoading(context.loadTimeUs, periodSeconds)
    // a budget that is long enough is not what killed it
    if (wanted <= failureThreshold) return undefined
    const path = `${at}.startupProbe.failureThreshold`
    return {
      path,
      says: `startupProbe allows ${budget} s (${initialDelaySeconds > 0 ? `initialDelaySeconds ${initialDelaySeconds} + ` : ''}failureThreshold ${failureThreshold} × periodSeconds ${periodSeconds}); loading takes ${Math.round(toSeconds(context.loadTimeUs))} s`,
      candidates: [{ says: `startupProbe.failureThreshold: ${wanted}`, changes: [{ path, value: wanted }] }],
    }
  },
})
