import { always, never, within } from '../../harness/expectations/check.ts'
import { at, defineScenario, inferenceServer, spotNodes } from '../../harness/scenario.ts'
import {
  engineRefused,
  noticeUsed,
  podsRejected,
  reclaimNode,
  replicaServes,
  replicasBack,
  sloHeld,
} from '../../harness/words.ts'

export default defineScenario({
  slug: 'spot-reclaim',
  title: 'The cloud takes a spot machine back: streams that fit the notice are cut, or nobody acts on it',
  decidedBy: 'manifests',
  parameters: {
    notice: {
      default: 'by provider',
      orDuration: true,
      what: 'how long before its end a machine has notice (by provider: 120 s on AWS, 30 s on GCP and Azure, as the labels of the nodes say)',
    },
    capacityWithin: {
      default: 'settle',
      orDuration: true,
      what: 'how long until as many replicas are Ready again (settle: ten minutes, pulling and three times the load time)',
    },
  },
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), spotNodes()],
  load: true,
  timeline: [at('1m', reclaimNode({ notice: '$notice' }), { stays: true })],
  during: [
    never(podsRejected()),
    never(engineRefused()),
    always(replicaServes()),
    always(noticeUsed()),
    // streams cut by the eviction are judged by what the notice is used for
    always(sloHeld({ objective: 'all', leaveOut: ['reset', 'truncated'] })),
  ],
  after: [within('$capacityWithin', replicasBack({ orEnough: true }))],
  watchFor: '1m30s',
})
