import { toSeconds } from '../../sandbox/world/time.ts'
import { misdirected } from './misdirected.ts'
import { containerPath, failuresWhileLoading, remedy, serverContainer } from './remedy.ts'

const PERIOD_SECONDS = 10

/** A liveness probe that counts while the weights are still loading, with no startup probe to hold it back. */
export const livenessBudget = remedy({
  causes: ['liveness-probe-kills-loading'],
  diagnose(context) {
    const { livenessProbe } = serverContainer(context)
    if (!livenessProbe) return undefined
    const elsewhere = misdirected(context, 'livenessProbe')
    if (elsewhere) return elsewhere
    const { initialDelaySeconds = 0, periodSeconds, failureThreshold } = livenessProbe
    const { httpGet, tcpSocket, grpc, exec } = livenessProbe
    const wanted = failuresWhileLoading(context.loadTimeUs, PERIOD_SECONDS)
    const handler = httpGet ? { httpGet } : tcpSocket ? { tcpSocket } : grpc ? { grpc } : { exec }
    return {
      path: `${containerPath(context)}.livenessProbe`,
      says: `livenessProbe allows ${initialDelaySeconds + periodSeconds * failureThreshold} s from the start (initialDelaySeconds ${initialDelaySeconds} + ${failureThreshold} × ${periodSeconds}) and no startupProbe holds it back; loading takes ${Math.round(toSeconds(context.loadTimeUs))} s`,
      candidates: [
        {
          says: `a startupProbe with the same check, periodSeconds: ${PERIOD_SECONDS}, failureThreshold: ${wanted}`,
          changes: [
            {
              path: `${containerPath(context)}.startupProbe`,
              value: { ...handler, periodSeconds: PERIOD_SECONDS, failureThreshold: wanted },
            },
          ],
        },
      ],
    }
  },
})
