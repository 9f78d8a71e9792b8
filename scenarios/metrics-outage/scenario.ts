import { always, never } from '../../harness/expectations/check.ts'
import { at, autoscaler, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { cutMetrics, engineRefused, outageAlerted, podsRejected, replicasFall } from '../../harness/words.ts'

export default defineScenario({
  slug: 'metrics-outage',
  title: 'Metrics do not reach the autoscaler for ten minutes',
  decidedBy: 'manifests',
  parameters: {
    alertWithin: { default: '10m', what: 'how long until an alert fires, where the platform has alerts' },
  },
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), autoscaler()],
  // as much as keeps the most replicas there may be busy, so that the autoscaler has come to rest there
  load: { base: { ofCapacity: 0.7 }, steps: [{ at: '1m', times: 1000, over: '2m' }], peakOfMaximum: 1.1 },
  timeline: [
    at('9m', cutMetrics({ part: 'source' }), { for: '10m' }),
    at('21m', cutMetrics({ part: 'apis' }), { for: '10m' }),
  ],
  during: [
    never(podsRejected()),
    never(engineRefused()),
    never(replicasFall({ since: 'cutMetrics' })),
    always(outageAlerted({ since: 'cutMetrics', within: '$alertWithin' })),
  ],
  after: [],
  watchFor: '2m',
})
