import { always, never, within } from '../../harness/expectations/check.ts'
import {
  at,
  defineScenario,
  engineRefused,
  inferenceServer,
  newImage,
  readyFloor,
  requestsUnserved,
  rolloutComplete,
} from '../../harness/scenario.ts'

export default defineScenario({
  slug: 'rollout-on-full-gpus',
  title: 'A rollout needs a GPU that no node has, or takes away one that serves',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment'] })],
  load: true,
  timeline: [at('2m', newImage())],
  during: [never(engineRefused()), always(readyFloor()), never(requestsUnserved({ outcomes: ['no-endpoints'] }))],
  after: [within('progressDeadline', rolloutComplete())],
  watchFor: '30s',
})
