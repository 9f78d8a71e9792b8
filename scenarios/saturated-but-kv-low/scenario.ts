import { never, within } from '../../harness/expectations/check.ts'
import { autoscaler, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { engineRefused, podsRejected, scaledForLoad } from '../../harness/words.ts'

export default defineScenario({
  slug: 'saturated-but-kv-low',
  title: 'Short prompts fill the batch and not the KV cache, and the autoscaler looks at the cache',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), autoscaler({ onSeries: true })],
  parameters: {
    recoverWithin: {
      default: 'scaleOut',
      orDuration: true,
      what: 'how long after the load has doubled the time to first token must be as promised again',
    },
  },
  load: {
    base: { ofCapacity: 0.7 },
    promptTokens: { kind: 'uniform', minTokens: 16, maxTokens: 48 },
    outputTokens: { kind: 'uniform', minTokens: 16, maxTokens: 112 },
    steps: [{ at: '2m', times: 2, over: 'scaleOut' }],
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
  after: [within('$recoverWithin', scaledForLoad({ objective: 'ttft', kvBelow: 0.7 }))],
  // the five minutes after which an HPA takes replicas away again, and what comes of it
  watchFor: '9m',
})
