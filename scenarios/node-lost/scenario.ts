import { always, never, within } from '../../harness/expectations/check.ts'
import { at, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { engineRefused, loseNode, podsRejected, replicaServes, replicasBack, sloHeld } from '../../harness/words.ts'

export default defineScenario({
  slug: 'node-lost',
  title:
    'A node goes dark without notice: requests fail for longer than it takes to see it, or nothing replaces its replica',
  decidedBy: 'manifests',
  parameters: {
    outage: {
      default: '65s',
      what: 'how long requests may fail: until the node monitor sees it (50 s without a heartbeat) and the endpoints are gone',
    },
    replacedWithin: {
      default: 'settle',
      orDuration: true,
      what: 'how long until as many replicas are Ready again (settle: ten minutes, pulling and three times the load time)',
    },
  },
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] })],
  load: true,
  timeline: [at('1m', loseNode(), { stays: true })],
  during: [
    never(podsRejected()),
    never(engineRefused()),
    always(replicaServes()),
    always(sloHeld({ objective: 'all', afterFault: '$outage' })),
  ],
  after: [within('$replacedWithin', replicasBack({ orEnough: true }))],
  watchFor: '30s',
})
