import { toSeconds } from '../../sandbox/world/time.ts'
import { misdirected } from './misdirected.ts'
import { failuresWhileLoading, killedContainer, remedy } from './remedy.ts'

const PERIOD_SECONDS = 10

/** A liveness probe that counts while the weights are still loading, with no startup probe to hold it back. */
export const livenessBudget = remedy({
  causes: ['liveness-probe-kills-loading'],
  diagnose(context) {
    const { container, path } = killedContainer(context)
    const { livenessProbe } = container
    if (!livenessProbe) return undefined
    const elsewhere = container.name === context.subject.container && misdirected(context, 'livenessProbe')
    if (elsewhere) return elsewhere
    const { initialDelaySeconds = 0, periodSeconds, failureThreshold } = livenessProbe
    const { httpGet, tcpSocket, grpc, exec } = livenessProbe
    const wanted = failuresWhileLoading(context.loadTimeUs, PERIOD_SECONDS)
    const handler = httpGet ? { httpGet } : tcpSocket ? { tcpSocket } : grpc ? { grpc } : { exec }
    return {
      path: `${path}.livenessProbe`,
      says: `${container.name === context.subject.container ? '' : `${container.name}: `}livenessProbe allows ${initialDelaySeconds + periodSeconds * failureThreshold} s from the start (initialDelaySeconds ${initialDelaySeconds} + ${failureThreshold} × ${periodSeconds}) and no startupProbe holds it back; loading takes ${Math.round(toSeconds(context.loadTimeUs))} s`,
      candidates: [
        {
          says: `a startupProbe with the same check, periodSeconds: ${PERIOD_SECONDS}, failureThreshold: ${wanted}`,
          changes: [
            {
              path: `${path}.startupProbe`,
              value: { ...handler, periodSeconds: PERIOD_SECONDS, failureThreshold: wanted },
            },
          ],
        },
      ],
    }
  },
})
