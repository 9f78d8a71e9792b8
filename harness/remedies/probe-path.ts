import { noSuchProgram } from '../../sandbox/nodes/shell/run.ts'
import { misdirected } from './misdirected.ts'
import {
  containerPath,
  type Diagnosis,
  PROBES,
  type ProbeName,
  type RemedyContext,
  remedy,
  serverContainer,
} from './remedy.ts'

/** A probe that asks for something the server does not have, which answers with an error, that asks where nobody listens, or that asks nothing. */
export const probePath = remedy({
  causes: ['probe-answered-with-error', 'probe-finds-nobody', 'probe-not-sent'],
  diagnose(context) {
    const container = serverContainer(context)
    const probe = PROBES.find((name) => context.broken.what.includes(`its ${name.replace('Probe', '')} probe`))
    if (!probe) return undefined
    if (context.broken.cause !== 'probe-answered-with-error')
      return oneWord(context, probe) ?? misdirected(context, probe)
    const asked = container[probe]?.httpGet
    if (!asked) return undefined
    const path = `${containerPath(context)}.${probe}.httpGet.path`
    return {
      path,
      says: `${probe} asks for ${asked.path ?? '/'}, which vLLM does not serve`,
      candidates: [{ says: `${probe}.httpGet.path: /health`, changes: [{ path, value: '/health' }] }],
    }
  },
})

/** A command line written as one word. */
function oneWord(context: RemedyContext, probe: ProbeName): Diagnosis | undefined {
  const command = serverContainer(context)[probe]?.exec?.command
  if (!command || !noSuchProgram(command)) return undefined
  const path = `${containerPath(context)}.${probe}.exec.command`
  const value = ['/bin/sh', '-c', command.join(' ')]
  return {
    path,
    says: `${probe}.exec.command is one word, «${command[0]}», and no program has this name: each word is an item of its own, or a shell reads the line`,
    candidates: [{ says: `command: ${JSON.stringify(value)}`, changes: [{ path, value }] }],
  }
}
