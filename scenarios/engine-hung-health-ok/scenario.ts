import { never, within } from '../../harness/expectations/check.ts'
import { at, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import {
  busyKilled,
  engineRefused,
  hangEngine,
  hungInRotation,
  hungReplaced,
  podsRejected,
} from '../../harness/words.ts'

export default defineScenario({
  slug: 'engine-hung-health-ok',
  title: 'An engine stops stepping, and /health goes on saying that all is well',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] })],
  parameters: {
    outWithin: { default: '2m', what: 'how long a replica whose engine hangs may get requests' },
  },
  // busy first: a probe that asks the engine must not take that for a hang
  load: {
    base: { ofCapacity: 0.5 },
    basePerSecondAtMost: 30,
    steps: [
      { at: '15s', times: 1.4, for: '1m30s' },
      // what comes after the hang has been seen is only how long a start takes
      { at: '6m', times: 0.2 },
    ],
  },
  timeline: [at('2m', hangEngine(), { stays: true })],
  during: [
    never(podsRejected()),
    never(engineRefused()),
    never(busyKilled()),
    never(hungInRotation({ longerThan: '$outWithin' })),
  ],
  after: [within('settle', hungReplaced())],
  watchFor: '30s',
})
