import { never, within } from '../../harness/expectations/check.ts'
import { defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { containerRestarted, engineRefused, podsRejected, rolloutComplete } from '../../harness/words.ts'

export default defineScenario({
  slug: 'liveness-kills-loading',
  title: 'A startup or liveness probe kills replicas that are still loading weights',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment'] })],
  load: false,
  spareNodes: 1,
  // nothing is stopped, and it does not matter where a pod goes or when its container starts
  blindTo: ['hook.exec', 'hook.http', 'init.command', 'volume.persistent', 'volume.elsewhere'],
  timeline: [],
  during: [
    never(podsRejected()),
    never(engineRefused()),
    never(containerRestarted({ by: ['liveness', 'startup'], beforeReady: true })),
  ],
  after: [within('settle', rolloutComplete())],
  watchFor: '1m',
  margin: { input: 'loadTime', probe: [2, 4], max: 16 },
})
