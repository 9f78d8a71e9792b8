import { always, never, within } from '../../harness/expectations/check.ts'
import { at, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import {
  drainBlocked,
  drainNode,
  engineRefused,
  podsRejected,
  replicaServes,
  replicasBack,
  sloHeld,
} from '../../harness/words.ts'

export default defineScenario({
  slug: 'drain-with-pdb',
  title: 'A node is drained: the drain is blocked by a disruption budget, or takes away what serves',
  decidedBy: 'manifests',
  parameters: {
    drainWithin: { default: '15m', what: 'how long a drain may take' },
    maintenance: { default: '3m', what: 'how long from the start of the drain the node stays cordoned at least' },
  },
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] })],
  load: true,
  timeline: [at('1m', drainNode({ timeout: '$drainWithin' }), { for: '$maintenance' })],
  during: [
    never(podsRejected()),
    never(engineRefused()),
    never(drainBlocked()),
    always(replicaServes()),
    // streams that end with their pod are for sigterm-cuts-streams to judge
    always(sloHeld({ objective: 'all', leaveOut: ['reset', 'truncated'] })),
  ],
  after: [within('settle', replicasBack())],
  watchFor: '30s',
})
