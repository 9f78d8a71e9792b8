import { always, never, within } from '../../harness/expectations/check.ts'
import { at, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import {
  engineRefused,
  newImage,
  podsRejected,
  readyFloor,
  requestsUnserved,
  rolloutComplete,
} from '../../harness/words.ts'

export default defineScenario({
  slug: 'rollout-on-full-gpus',
  title: 'A rollout needs a GPU that no node has, or takes away one that serves',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment'] })],
  load: true,
  timeline: [at('2m', newImage())],
  during: [
    never(podsRejected()),
    never(engineRefused()),
    always(readyFloor()),
    never(requestsUnserved({ outcomes: ['no-endpoints'] })),
    never(requestsUnserved({ outcomes: ['refused', 'http', 'timeout'], perMille: 10 })),
    never(requestsUnserved({ outcomes: ['reset', 'truncated'], perMille: 10, onTheWay: true })),
  ],
  after: [within('progressDeadline', rolloutComplete())],
  watchFor: '30s',
})
