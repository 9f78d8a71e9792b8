import { always, never, within } from '../../harness/expectations/check.ts'
import { PREEMPTION_METRICS } from '../../harness/expectations/preemption-storm.ts'
import { defineScenario, inferenceServer, kvPressure } from '../../harness/scenario.ts'
import {
  engineRefused,
  podsRejected,
  preemptionStorm,
  sloHeld,
  sloRecovered,
  throughputKept,
} from '../../harness/words.ts'

export default defineScenario({
  slug: 'kv-preemption-storm',
  title: 'A burst fills the KV cache, and requests are thrown out of it over and over',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), kvPressure()],
  parameters: {
    preemptionsPerAnswer: { default: 0.3, what: 'how often a request may be preempted for each one answered' },
    throughputShare: { default: 0.7, what: 'the share of the throughput before the burst that must be kept in it' },
    recoversWithin: { default: '6m', what: 'how long after the burst the promises to clients must be met again' },
  },
  load: {
    base: { ofCapacity: 0.7 },
    // twice as much for two minutes, then enough room to work off what has piled up
    steps: [
      { at: '3m', times: 2 },
      { at: '5m', times: 0.7 },
    ],
  },
  samples: PREEMPTION_METRICS,
  timeline: [],
  during: [
    never(podsRejected()),
    never(engineRefused()),
    never(preemptionStorm({ perAnswer: '$preemptionsPerAnswer' })),
    always(sloHeld({ objective: 'tpot' })),
    always(throughputKept({ share: '$throughputShare' })),
  ],
  after: [
    within('$recoversWithin', sloRecovered({ objective: 'ttft' })),
    within('$recoversWithin', sloRecovered({ objective: 'tpot' })),
  ],
  watchFor: '10s',
})
