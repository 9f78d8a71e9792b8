import { never } from '../../harness/expectations/check.ts'
import { at, defineScenario, inferenceServer } from '../../harness/scenario.ts'
import { deletedPodRefuses, deletePods, engineRefused, podsRejected, streamsCut } from '../../harness/words.ts'

export default defineScenario({
  slug: 'sigterm-cuts-streams',
  title: 'Pods are deleted under way, and the answers they were giving are cut',
  decidedBy: 'manifests',
  needs: [inferenceServer({ kinds: ['Deployment', 'StatefulSet'] })],
  parameters: {
    pods: { default: 2, what: 'how many pods are deleted, one after another' },
  },
  // enough answers under way on every pod to see what becomes of them, and room for one replica less
  load: { base: { ofCapacity: 0.4 }, basePerSecondAtMost: 80 },
  spareNodes: 1,
  timeline: [at('1m', deletePods({ count: '$pods' as unknown as number }))],
  during: [never(podsRejected()), never(engineRefused()), never(streamsCut()), never(deletedPodRefuses())],
  after: [],
  watchFor: '10s',
})
