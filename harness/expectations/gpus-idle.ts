import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import { isOf, podName } from '../subject.ts'
import { type Broken, check } from './check.ts'

/** Pods that hold more GPUs than their server uses (tensor × pipeline × data parallel). Looks at pods that became Ready. */
export const gpusIdle = check<Record<string, never>>({
  name: 'gpusIdle',
  describe: () => 'GPUs that a pod holds and its server does not use',
  start(_, { subject }) {
    let broken: Broken | undefined
    const ready = new Set<string>()
    return {
      record(record, change) {
        if (change?.kind !== Pod.id || !change.after) return
        const pod = change.after as o.Pod
        if (!isOf(subject, pod) || !isReady(pod)) return
        ready.add(pod.metadata.uid)
        const { gpus, worldSize } = subject
        if (broken || worldSize === undefined || gpus <= worldSize) return
        broken = {
          at: record.at,
          cause: 'gpus-idle',
          what: `each pod holds ${gpus} GPUs and vLLM uses ${worldSize}: ${gpus - worldSize} stay idle`,
          evidence: [
            { at: record.at, about: podName(pod), text: `nvidia.com/gpu: ${gpus}, parallel world size ${worldSize}` },
          ],
        }
      },
      result: () => ({
        samples: ready.size,
        broken,
        summary: `${ready.size} pods use the ${subject.gpus} GPU${subject.gpus === 1 ? '' : 's'} each holds`,
      }),
    }
  },
})
