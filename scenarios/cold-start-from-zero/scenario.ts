import { never, within } from '../../harness/expectations/check.ts'
import { autoscaler, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { engineRefused, lostAtZero, podsRejected, wokenFromZero } from '../../harness/words.ts'

export default defineScenario({
  slug: 'cold-start-from-zero',
  title: 'Requests come when the server has been scaled to zero',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), autoscaler({ toZero: true })],
  parameters: {
    firstTokenWithin: { default: '5m', what: 'how long after the first request its first token may come' },
    idleFor: { default: '20m', what: 'how long it may take to go to zero while nobody asks' },
  },
  load: { base: { ofCapacity: 0.3 } },
  idleFor: '$idleFor',
  timeline: [],
  during: [never(podsRejected()), never(engineRefused()), never(lostAtZero())],
  after: [within('$firstTokenWithin', wokenFromZero({ within: '$firstTokenWithin' }))],
  watchFor: '2m',
})
