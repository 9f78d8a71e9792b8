import { suggest } from '../platform/suggest.ts'
import { remedy } from './remedy.ts'

const PATH = 'spec.template.spec.schedulerName'

/** A scheduler nobody runs. */
export const schedulerName = remedy({
  causes: ['pod-without-scheduler'],
  diagnose({ deployment, schedulers }) {
    const { schedulerName: asked = 'default-scheduler' } = deployment.spec.template.spec
    const meant = suggest(asked, schedulers)
    const names = [...new Set([...(meant === undefined ? [] : [meant]), ...schedulers])]
    return {
      path: PATH,
      says: `no scheduler is called ${asked}; there ${schedulers.length === 1 ? 'is' : 'are'} ${schedulers.join(', ')}`,
      candidates: names.map((value) => ({ says: `schedulerName: ${value}`, changes: [{ path: PATH, value }] })),
    }
  },
})
