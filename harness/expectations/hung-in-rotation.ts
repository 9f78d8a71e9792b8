import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { formatDuration, parseDuration } from '../../sandbox/world/time.ts'
import { type Broken, type CheckContext, check } from './check.ts'
import { type HungEngine, HungEngines } from './hung-engine.ts'

interface Params {
  longerThan: string
}

/** A replica whose engine hangs gets requests for longer than it may. Looks at the replica that was hung. */
export const hungInRotation = check<Params>({
  name: 'hungInRotation',
  describe: ({ longerThan }) => `a replica whose engine hangs in rotation for more than ${longerThan}`,
  start({ longerThan }, context) {
    const limit = parseDuration(longerThan)
    const engines = new HungEngines(context)
    return {
      record: (record, change) => engines.record(record, change),
      result() {
        const { hung } = engines
        if (!hung) return { samples: 0 }
        const lasted = (hung.outAt ?? context.now()) - hung.at
        if (lasted > limit) return { samples: 1, broken: brokenOf(hung, hung.at + limit, context) }
        if (hung.outAt === undefined) return { samples: 1 }
        const how = hung.killed ? `: ${hung.killed}` : ''
        return { samples: 1, summary: `out of rotation ${formatDuration(lasted)} after its engine hung${how}` }
      },
    }
  },
})

function brokenOf(hung: HungEngine, at: number, { view, subject }: CheckContext): Broken {
  const pod = view.get(Pod, hung.podKey)
  const container = pod?.spec.containers.find(({ name }) => name === subject.container)
  const probes = (['livenessProbe', 'readinessProbe'] as const).map((name) => ({
    at,
    about: `Pod ${hung.podKey}`,
    text: `${name}: ${probeText(container?.[name])}`,
  }))
  return {
    at,
    cause: 'hung-engine-in-rotation',
    what: `${hung.podKey.split('/')[1]} was still Ready ${formatDuration(at - hung.at)} after its engine hung`,
    evidence: [
      { at: hung.at, about: `Pod ${hung.podKey}`, text: 'its engine stops stepping; /health goes on saying 200' },
      ...probes,
      { at, about: `Pod ${hung.podKey}`, text: `${hung.unanswered} requests to it ended without an answer since` },
    ],
  }
}

function probeText(probe: o.Probe | undefined): string {
  if (!probe) return 'none'
  const { httpGet, exec, tcpSocket, grpc } = probe
  if (httpGet) return `GET ${httpGet.path ?? '/'} succeeds`
  if (exec) return `${(exec.command ?? []).join(' ')}`
  return tcpSocket ? `a connection to ${tcpSocket.port} succeeds` : `gRPC on ${grpc?.port}`
}
