import { describe, expect, it } from 'vitest'
import type { Signal } from '../platform/roles/autoscaling/scaling.ts'
import { autoscalerSignal } from './autoscaler-signal.ts'
import type { RemedyContext } from './remedy.ts'

type PodsMetrics = RemedyContext['queueSignal']['podsMetrics']

/** The fixes tried first to last, for an HPA of `signals` beside an adapter that has `podsMetrics`. */
function fixes(cause: string, signals: object[], podsMetrics: PodsMetrics, batch?: number): string[] {
  const context = {
    broken: { at: 0, cause, what: '', evidence: [], ...(batch === undefined ? {} : { batch }) },
    scaling: {
      kind: 'hpa',
      minReplicas: 1,
      object: {
        id: 'HorizontalPodAutoscaler/chat',
        manifest: { apiVersion: 'autoscaling/v2', kind: 'X', metadata: {} },
      },
      signals: signals.map((signal) => ({ path: ['spec', 'metrics', 0], ...signal }) as unknown as Signal),
    },
    queueSignal: { podsMetrics },
    signalFindings: () => [],
    deployment: { spec: { replicas: 1 } },
    server: { servedModelName: 'm' },
  } as unknown as RemedyContext
  return autoscalerSignal.diagnose(context)!.candidates.map(({ says }) => says)
}

const CPU = { kind: 'resource', resource: 'cpu' }
const QUEUE = { kind: 'pods', metric: 'queue' }

describe('an autoscaler that does not see what its servers have to do', () => {
  it('is given what runs and waits together, half a full batch a replica', () => {
    const known = { waiting: 'queue', running: 'batch', both: 'requests' }
    expect(fixes('autoscaler-blind', [CPU], known, 48)).toEqual(['metrics: requests, 24 a replica, in place of cpu'])
    expect(fixes('autoscaler-flaps', [QUEUE], known)).toEqual(['metrics: requests, 32 a replica, in place of queue'])
  })

  it('is given both as two metrics where there is no sum of them', () => {
    expect(fixes('autoscaler-flaps', [QUEUE], { waiting: 'queue', running: 'batch' })).toEqual([
      'metrics: batch, 32 a replica, and queue, 5 a replica, in place of queue',
    ])
  })

  it('keeps signals that tell of something else', () => {
    const usage = { kind: 'pods', metric: 'usage' }
    expect(fixes('autoscaler-blind', [usage], { both: 'requests' })).toEqual([
      'metrics: requests, 32 a replica, as well',
    ])
  })

  it('is not told to look at the queue alone twice', () => {
    expect(fixes('autoscaler-flaps', [QUEUE], { waiting: 'queue' })).toEqual([])
    expect(fixes('autoscaler-blind', [CPU], { waiting: 'queue' })).toEqual([
      'metrics: queue, 5 a replica, in place of cpu',
    ])
  })
})
