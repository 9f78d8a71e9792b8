import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { condition, isReady } from '../../sandbox/kube/pods.ts'
import { formatDuration, seconds, type Us } from '../../sandbox/world/time.ts'
import { podsOf } from '../subject.ts'
import { workloadOf } from '../workload-object.ts'
import { type Broken, type CheckContext, check } from './check.ts'
import { type HungEngine, HungEngines } from './hung-engine.ts'

/** A pod whose container was just restarted may be called Ready for some seconds more: by then it is not. */
const HOLDS: Us = seconds(10)

/** As many replicas are Ready again as there are to be, none with the process whose engine hung. Looks at the replica that was hung. */
export const hungReplaced = check<Record<string, never>>({
  name: 'hungReplaced',
  describe: () => 'as many replicas are Ready again, none with the engine that hung',
  start(_, context) {
    const { subject, view } = context
    const engines = new HungEngines(context)
    let reachedAt: Us | undefined
    return {
      record(record, change) {
        engines.record(record, change)
        if (!engines.hung || change?.kind !== Pod.id) return
        const ready = podsOf(subject, view).filter((pod) => isServing(pod) && !engines.isRunning(pod)).length
        if (ready < (workloadOf(subject, view)?.spec.replicas ?? 1)) reachedAt = undefined
        else reachedAt ??= record.at
      },
      result() {
        const { hung } = engines
        if (!hung) return { samples: 0 }
        if (reachedAt === undefined || context.now() - reachedAt < HOLDS)
          return { samples: 1, missing: missing(hung, engines, context) }
        return {
          samples: 1,
          reachedAt,
          summary: `all replicas Ready again ${formatDuration(reachedAt - hung.at)} after the engine hung`,
        }
      },
    }
  },
})

const isServing = (pod: o.Pod): boolean => isReady(pod) && !pod.metadata.deletionTimestamp

function missing(hung: HungEngine, engines: HungEngines, { view, now, subject }: CheckContext): Broken {
  const pod = view.get(Pod, hung.podKey)
  const name = hung.podKey.split('/')[1]!
  const stays = engines.isRunning(pod)
  const ready = pod && condition(pod, 'Ready')
  return {
    at: now(),
    cause: stays ? 'hung-engine-not-replaced' : 'replacement-not-ready',
    what: stays
      ? `${name} still runs the engine that hung ${formatDuration(now() - hung.at)} ago, ${pod && isReady(pod) ? 'Ready' : 'out of rotation'}: nothing restarts it`
      : `${subject.name} lacks a replica since the engine of ${name} hung: what replaces it is not Ready`,
    evidence: [
      { at: hung.at, about: `Pod ${hung.podKey}`, text: 'its engine stops stepping; /health goes on saying 200' },
      ...(hung.killed ? [{ at: hung.outAt ?? hung.at, about: `Pod ${hung.podKey}`, text: hung.killed }] : []),
      {
        at: now(),
        about: `Pod ${hung.podKey}`,
        text: ready ? `Ready=${ready.status}${ready.message ? `: ${ready.message}` : ''}` : 'gone',
      },
    ],
  }
}
