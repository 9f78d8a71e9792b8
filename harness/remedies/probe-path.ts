import { containerPath, PROBES, remedy, serverContainer } from './remedy.ts'

/** A probe that asks for something the server does not have: it answers, with an error. */
export const probePath = remedy({
  causes: ['probe-answered-with-error'],
  diagnose(context) {
    const container = serverContainer(context)
    const probe = PROBES.find((name) => context.broken.what.includes(`its ${name.replace('Probe', '')} probe`))
    const asked = probe && container[probe]?.httpGet
    if (!asked) return undefined
    const path = `${containerPath(context)}.${probe}.httpGet.path`
    return {
      path,
      says: `${probe} asks for ${asked.path ?? '/'}, which vLLM does not serve`,
      candidates: [{ says: `${probe}.httpGet.path: /health`, changes: [{ path, value: '/health' }] }],
    }
  },
})
