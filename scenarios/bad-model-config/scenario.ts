import { never, within } from '../../harness/expectations/check.ts'
import { defineScenario, engineRefused, gpusIdle, inferenceServer, rolloutComplete } from '../../harness/scenario.ts'

export default defineScenario({
  slug: 'bad-model-config',
  title: 'The model, its flags and its GPUs do not go together, and vLLM refuses to start',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment'] })],
  load: false,
  spareNodes: 1,
  timeline: [],
  during: [never(engineRefused()), never(gpusIdle())],
  after: [within('settle', rolloutComplete())],
  watchFor: '30s',
})
