import { never, within } from '../../harness/expectations/check.ts'
import { defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { engineRefused, gpusIdle, podsRejected, rolloutComplete } from '../../harness/words.ts'

export default defineScenario({
  slug: 'bad-model-config',
  title: 'The model, its flags and its GPUs do not go together, and vLLM refuses to start',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment'] })],
  load: false,
  spareNodes: 1,
  withoutProbes: true,
  // nothing is stopped, and it does not matter where a pod goes or when its container starts
  blindTo: ['hook.exec', 'hook.http', 'init.command', 'volume.persistent', 'volume.elsewhere'],
  timeline: [],
  during: [never(podsRejected()), never(engineRefused()), never(gpusIdle())],
  after: [within('settle', rolloutComplete())],
  watchFor: '30s',
})
