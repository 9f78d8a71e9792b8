import { Pod } from '../../../sandbox/kube/kinds.ts'
import type * as o from '../../../sandbox/kube/objects.ts'
import { steps } from '../steps.ts'
import { stream } from '../stream.ts'

const KILLED = /^Container (\S+) failed (liveness|startup) probe, will be restarted$/

/** Containers that probes kill, and containers that start again, by what ended them. */
export const restarts = stream({
  name: 'restarts',
  compares:
    'containers killed by a probe; container restarts by reason: liveness or startup probe, out of memory, exit code',
  start({ view, roles, periods, decide }) {
    /** The probe that killed a container last, by pod and container, until it has started again. */
    const killers = new Map<string, string>()
    return (record, change) => {
      if (record.type === 'event' && record.kind === 'Pod' && record.reason === 'Killing') {
        const [, container, probe] = KILLED.exec(record.message) ?? []
        const pod = view.get(Pod, record.key)
        if (!container || !probe || !pod || killers.has(`${record.key} ${container}`)) return
        killers.set(`${record.key} ${container}`, probe)
        decide(`${container} in ${roles.pod(pod)} killed by its ${probe} probe`, periods.ofPod(pod))
      }
      if (change?.kind !== Pod.id || !change.after) return
      const pod = change.after as o.Pod
      const before = (change.before as o.Pod | undefined)?.status.containerStatuses
      for (const status of pod.status.containerStatuses ?? []) {
        const old = before?.find(({ name }) => name === status.name)?.restartCount ?? 0
        const killer = `${change.key} ${status.name}`
        for (const _ of steps(old, status.restartCount))
          decide(
            `${status.name} in ${roles.pod(pod)} restarted: ${reasonOf(status, killers.get(killer))}`,
            periods.ofPod(pod),
          )
        if (status.restartCount > old) killers.delete(killer)
      }
    }
  },
})

function reasonOf({ lastState }: o.ContainerStatus, killer: string | undefined): string {
  if (killer) return `${killer} probe`
  const { reason, exitCode } = lastState.terminated ?? {}
  return reason === 'OOMKilled' ? 'out of memory' : `exit code ${exitCode ?? 'unknown'}`
}
