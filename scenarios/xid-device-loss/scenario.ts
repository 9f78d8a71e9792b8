import { never, within } from '../../harness/expectations/check.ts'
import { at, defineScenario, gpus, inferenceServer } from '../../harness/scenario.ts'
import { engineRefused, failGpu, podsRejected, replicasBack } from '../../harness/words.ts'

export default defineScenario({
  slug: 'xid-device-loss',
  title: 'A GPU is lost under a replica, and nothing moves its pod to another',
  decidedBy: 'cluster',
  parameters: {
    xid: { default: 79, what: 'what the driver reports of the GPU: 79, off the bus; 94, contained' },
    replacedWithin: {
      default: 'settle',
      orDuration: true,
      what: 'how long until as many replicas are Ready again (settle: ten minutes, pulling and three times the load time)',
    },
  },
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), gpus()],
  load: true,
  timeline: [at('1m', failGpu({ xid: '$xid' }), { stays: true })],
  during: [never(podsRejected()), never(engineRefused())],
  after: [within('$replacedWithin', replicasBack({ orEnough: true }))],
  watchFor: '30s',
})
