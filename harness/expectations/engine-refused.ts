import { Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { isReady } from '../../sandbox/kube/pods.ts'
import { isOf, podName } from '../subject.ts'
import { type Broken, check, type Evidence } from './check.ts'

/** Lines kept of a container's end, as `kubectl logs --previous` would show them. */
const LOG_TAIL = 40

/** An inference server that ended by itself before it ever served: bad flags, a model that does not fit. Looks at container starts. */
export const engineRefused = check<Record<string, never>>({
  name: 'engineRefused',
  describe: () => 'an inference server that exits before it serves',
  start(_, { subject }) {
    let samples = 0
    let broken: Broken | undefined
    const logs = new Map<string, string[]>()
    const wasReady = new Set<string>()
    return {
      record(record, change) {
        if (record.type === 'log' && record.container === subject.container) {
          const lines = logs.get(record.pod) ?? []
          lines.push(record.line)
          if (lines.length > LOG_TAIL) lines.shift()
          logs.set(record.pod, lines)
        }
        if (change?.kind !== Pod.id || !change.after) return
        const pod = change.after as o.Pod
        if (!isOf(subject, pod)) return
        if (isReady(pod) && !wasReady.has(pod.metadata.uid)) {
          wasReady.add(pod.metadata.uid)
          samples++
        }
        const status = pod.status.containerStatuses?.find((c) => c.name === subject.container)
        const ended = status?.state.terminated ?? status?.lastState.terminated
        if (!ended || ended.exitCode === 0 || ended.exitCode > 128 || broken || wasReady.has(pod.metadata.uid)) return
        samples++
        const lines = logs.get(`${pod.metadata.namespace}/${pod.metadata.name}`) ?? []
        const errors = errorLines(lines)
        broken = {
          at: record.at,
          cause: 'engine-refused',
          what: `vLLM exits with code ${ended.exitCode}: ${errors.at(-1)?.split(/(?<=[.!?])\s/)[0] ?? lines.findLast((line) => line.trim() !== '') ?? 'its log is empty'}`,
          evidence: [
            ...(errors.length > 0 ? errors.slice(-2) : lines.slice(-4)).map(
              (text): Evidence => ({ at: record.at, about: `${podName(pod)} log`, text }),
            ),
            {
              at: record.at,
              about: podName(pod),
              text: `container ${subject.container} exited with code ${ended.exitCode}`,
            },
          ],
        }
      },
      result: () => ({ samples, broken, summary: `${samples} servers started and became Ready` }),
    }
  },
})

/** Errors that only say that another came before. */
const FOLLOW_UP = /Engine core initialization failed|validation errors? for|WorkerProc initialization failed/

/** The lines that say why: exceptions, what pydantic wraps, argparse's errors. The last is the cause. */
function errorLines(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const said =
      /((?:\w+\.)*\w*(?:Error|Exception|Interrupt): .*|Value error, .*|Input should .*|\w*: error: .*)$/.exec(line)?.[1]
    return said && !FOLLOW_UP.test(said) ? [said.replace(/^Value error, /, '').replace(/^.*?: error: /, 'error: ')] : []
  })
}
