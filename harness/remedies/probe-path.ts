import { misdirected } from './misdirected.ts'
import { containerPath, PROBES, remedy, serverContainer } from './remedy.ts'

/** A probe that asks for something the server does not have, which answers with an error, or that asks where nobody listens. */
export const probePath = remedy({
  causes: ['probe-answered-with-error', 'probe-finds-nobody'],
  diagnose(context) {
    const container = serverContainer(context)
    const probe = PROBES.find((name) => context.broken.what.includes(`its ${name.replace('Probe', '')} probe`))
    const asked = probe && container[probe]?.httpGet
    if (!asked) return undefined
    if (context.broken.cause === 'probe-finds-nobody') return misdirected(context, probe)
    const path = `${containerPath(context)}.${probe}.httpGet.path`
    return {
      path,
      says: `${probe} asks for ${asked.path ?? '/'}, which vLLM does not serve`,
      candidates: [{ says: `${probe}.httpGet.path: /health`, changes: [{ path, value: '/health' }] }],
    }
  },
})
