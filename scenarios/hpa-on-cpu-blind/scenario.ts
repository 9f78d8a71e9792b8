import { never, within } from '../../harness/expectations/check.ts'
import { autoscaler, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { engineRefused, podsRejected, scaledForLoad } from '../../harness/words.ts'

export default defineScenario({
  slug: 'hpa-on-cpu-blind',
  title: 'The load doubles, and the autoscaler looks at something that does not tell',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), autoscaler()],
  parameters: {
    recoverWithin: {
      default: 'scaleOut',
      orDuration: true,
      what: 'how long after the load has doubled the time to first token must be as promised again',
    },
  },
  load: {
    base: { ofCapacity: 0.7 },
    // longer than an HPA waits before it takes replicas away
    steps: [{ at: '6m', times: 2, over: 'scaleOut' }],
    peakOfMaximum: 0.8,
    overload: 1.1,
  },
  samples: [
    'vllm:num_requests_waiting',
    'vllm:num_requests_running',
    'vllm:kv_cache_usage_perc',
    'vllm:gpu_cache_usage_perc',
  ],
  timeline: [],
  during: [never(podsRejected()), never(engineRefused())],
  after: [within('$recoverWithin', scaledForLoad({ objective: 'ttft' }))],
  // the five minutes after which an HPA takes replicas away again, and what comes of it
  watchFor: '9m',
})
