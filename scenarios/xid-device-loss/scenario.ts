import { never, within } from '../../harness/expectations/check.ts'
import { at, defineScenario, gpus, inferenceServer, nodeAgents } from '../../harness/scenario.ts'
import { engineRefused, failGpu, podsRejected, replicasBack } from '../../harness/words.ts'

export default defineScenario({
  slug: 'xid-device-loss',
  title: 'A GPU is lost under a replica, and nothing moves its pod to another',
  decidedBy: 'cluster',
  parameters: {
    xid: { default: 79, what: 'what the driver reports of the GPU: 79, off the bus; 94, contained' },
    replacedWithin: { default: '20m', what: 'how long until as many replicas are Ready again' },
  },
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] }), gpus(), nodeAgents()],
  // a GPU is lost with or without requests, and what becomes of them is not the question
  load: false,
  timeline: [at('1m', failGpu({ xid: '$xid' }), { stays: true })],
  during: [never(podsRejected()), never(engineRefused())],
  after: [within('$replacedWithin', replicasBack({ orEnough: true }))],
  watchFor: '30s',
})
