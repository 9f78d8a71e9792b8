import { never } from '../../harness/expectations/check.ts'
import { at, autoscaler, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { engineRefused, loseSeries, podsRejected, replicasFall } from '../../harness/words.ts'

export default defineScenario({
  slug: 'absent-series-is-not-idle',
  title: 'The series an autoscaler looks at disappears, and nothing is taken for idle',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), autoscaler({ onSeries: true })],
  // as much as keeps the most replicas there may be busy, so that the autoscaler has come to rest there
  load: { base: { ofCapacity: 0.7 }, steps: [{ at: '1m', times: 1000, over: '2m' }], peakOfMaximum: 1.1 },
  timeline: [at('9m', loseSeries(), { for: '10m' })],
  during: [never(podsRejected()), never(engineRefused()), never(replicasFall({ since: 'loseSeries' }))],
  after: [],
  watchFor: '2m',
})
