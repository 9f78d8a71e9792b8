import { toSeconds } from '../../sandbox/world/time.ts'
import { remedy } from './remedy.ts'

/** A rollout that goes on well but is given up by its own deadline. */
export const progressDeadline = remedy({
  causes: ['progress-deadline-too-short'],
  diagnose({ deployment, loadTimeUs }) {
    const path = 'spec.progressDeadlineSeconds'
    const { progressDeadlineSeconds: given } = deployment.spec
    const loading = Math.ceil((2 * toSeconds(loadTimeUs)) / 60) * 60 + 300
    // pulling may take longer than loading
    const wanted = [loading, 2 * given, 4 * given].filter((seconds) => seconds > given)
    return {
      path,
      says: `${path}: ${given} s pass without a step of progress; a replica is one when its image is pulled and it has loaded, which takes ${Math.round(toSeconds(loadTimeUs))} s alone`,
      candidates: wanted.map((value) => ({
        says: `progressDeadlineSeconds: ${value}`,
        changes: [{ path, value }],
      })),
    }
  },
})
