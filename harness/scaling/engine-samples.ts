import { keyOf } from '../../sandbox/kube/kinds.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import type { Sandbox } from '../../sandbox/tiers/tier.ts'
import { seconds, type Us } from '../../sandbox/world/time.ts'
import type { ObjectsView } from '../objects-view.ts'
import { podsOf, type Subject } from '../subject.ts'

/** As often as a Prometheus with an interval of 15 s. */
const EVERY: Us = seconds(15)

/**
 * From now on what the subject's Ready pods expose under these names is journalled, each name of a pod as the sum of its series.
 * It is what the servers say, whether or not anybody in the cluster scrapes them.
 */
export function sampleEngines(options: {
  readonly sandbox: Sandbox
  readonly subject: Subject
  readonly view: ObjectsView
  readonly names: readonly string[]
}): void {
  const { sandbox, subject, view } = options
  const { clock, journal } = sandbox.world
  const names = new Set(options.names)
  const { port } = subject.healthProbe.httpGet
  const look = () => {
    for (const pod of podsOf(subject, view)) {
      if (!isReady(pod)) continue
      for (const { samples } of sandbox.exposed(pod, port, names)) {
        const sums = new Map<string, number>()
        for (const { name, value } of samples) if (names.has(name)) sums.set(name, (sums.get(name) ?? 0) + value)
        for (const [metric, value] of sums)
          journal.append({ type: 'sample', metric, labels: { pod: keyOf(pod) }, value })
      }
    }
    clock.after(EVERY, look)
  }
  look()
}
