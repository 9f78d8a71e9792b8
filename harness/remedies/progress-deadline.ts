import { toSeconds } from '../../sandbox/world/time.ts'
import { remedy } from './remedy.ts'

/** A rollout that goes on well but is given up by its own deadline. */
export const progressDeadline = remedy({
  causes: ['progress-deadline-too-short'],
  diagnose({ deployment, loadTimeUs }) {
    const path = 'spec.progressDeadlineSeconds'
    const wanted = Math.ceil((2 * toSeconds(loadTimeUs)) / 60) * 60 + 300
    return {
      path,
      says: `${path}: ${deployment.spec.progressDeadlineSeconds} s pass without a step of progress; a replica loads for ${Math.round(toSeconds(loadTimeUs))} s before it is one`,
      candidates: [{ says: `progressDeadlineSeconds: ${wanted}`, changes: [{ path, value: wanted }] }],
    }
  },
})
