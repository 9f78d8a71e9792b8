import { keyOf, Pod } from '../../sandbox/kube/kinds.ts'
import type * as o from '../../sandbox/kube/objects.ts'
import { condition, isActive, isReady } from '../../sandbox/kube/pods.ts'
import { formatDuration, fromRfc3339, type Us } from '../../sandbox/world/time.ts'
import { isStruck, struckIn } from '../faults/aim.ts'
import { podName, podsOf } from '../subject.ts'
import { workloadOf } from '../workload-object.ts'
import { type Broken, type CheckContext, check, type Evidence } from './check.ts'

interface Params {
  /** Where no node has room for the rest, as many as the load needs are enough: they serve until there is. */
  orEnough?: boolean
}

/**
 * As many replicas are Ready again as there are to be, none of them one that the failure struck and that has not come back. Looks at the pods that
 * were struck.
 */
export const replicasBack = check<Params>({
  name: 'replicasBack',
  describe: ({ orEnough }) =>
    `as many replicas are Ready again${orEnough ? ', or as many as the load needs where no node has room for more' : ''}`,
  start({ orEnough = false }, context) {
    const { subject, view } = context
    /** By uid; those that were struck and are not well again. */
    const lost = new Map<string, { readonly pod: o.Pod; fell: boolean }>()
    let samples = 0
    let told: Evidence | undefined
    let lastAt: Us = 0
    let reached: { readonly at: Us; readonly how: string; readonly all: boolean } | undefined
    return {
      record(record, change) {
        lastAt = record.at
        const struck = record.type === 'note' ? struckIn(record) : undefined
        if (struck && record.type === 'note') {
          told = { at: record.at, about: record.about, text: record.text }
          for (const pod of podsOf(subject, view).filter((one) => isActive(one) && isStruck(struck, one))) {
            lost.set(pod.metadata.uid, { pod, fell: false })
            samples++
          }
        } else if (change?.kind === Pod.id && change.after) recover(lost, change.after as o.Pod)
        if (samples === 0 || (!struck && change?.kind !== Pod.id)) return
        const { replicas, ready, homeless, enough } = count(context, lost)
        if (ready >= replicas) {
          if (!reached?.all) reached = { at: record.at, how: `${ready} of ${replicas} Ready`, all: true }
        } else if (!orEnough || ready < enough || reached?.all) reached = undefined
        else if (homeless > 0 && ready + homeless >= replicas)
          reached ??= {
            at: record.at,
            how: `${ready} of ${replicas} Ready, enough for the load; ${homeless} had no room on a node`,
            all: false,
          }
      },
      result: () => ({
        samples,
        reachedAt: reached?.at,
        missing: samples > 0 && !reached ? withFirst(told!, missing(context, lost, lastAt)) : undefined,
        summary: reached && `${reached.how} at ${formatDuration(reached.at)}`,
      }),
    }
  },
})

const withFirst = (told: Evidence, broken: Broken): Broken => ({ ...broken, evidence: [told, ...broken.evidence] })

type Lost = Map<string, { readonly pod: o.Pod; fell: boolean }>

/** One that was struck is well again when it has been not Ready and is Ready. */
function recover(lost: Lost, pod: o.Pod): void {
  const one = lost.get(pod.metadata.uid)
  if (!one) return
  if (!isReady(pod)) one.fell = true
  else if (one.fell) lost.delete(pod.metadata.uid)
}

function count({ subject, view, replicasNeeded }: CheckContext, lost: Lost) {
  const active = podsOf(subject, view).filter(isActive)
  return {
    replicas: workloadOf(subject, view)?.spec.replicas ?? 1,
    ready: active.filter((pod) => isReady(pod) && !lost.has(pod.metadata.uid)).length,
    /** Those that no node takes. */
    homeless: active.filter((pod) => condition(pod, 'PodScheduled')?.status === 'False').length,
    enough: Math.max(1, replicasNeeded),
  }
}

/** What stands in the way. */
function missing(context: CheckContext, lost: Lost, now: Us): Broken {
  const { subject, view } = context
  const pods = podsOf(subject, view)
  const { replicas, ready, enough } = count(context, lost)
  const head = `${subject.name} has ${ready} of ${replicas} replicas Ready`
  const left = pods.find((pod) => lost.has(pod.metadata.uid))
  if (left && isActive(left)) return stayed(left, subject.container, head, now)
  const waiting = pods.find((pod) => isActive(pod) && condition(pod, 'PodScheduled')?.status === 'False')
  if (waiting) {
    const message = condition(waiting, 'PodScheduled')?.message ?? ''
    return {
      at: now,
      cause: /Insufficient/.test(message) ? 'replacement-does-not-fit' : 'replacement-unschedulable',
      what: `${head} and needs ${enough}: ${waiting.metadata.name} is Pending since ${formatDuration(fromRfc3339(waiting.metadata.creationTimestamp))}`,
      evidence: [{ at: now, about: podName(waiting), text: message }],
    }
  }
  const replacements = pods.filter((pod) => isActive(pod) && !isReady(pod) && !lost.has(pod.metadata.uid))
  const [loading] = replacements
  if (loading)
    return {
      at: now,
      cause: 'replacement-not-ready',
      what: `${head}: ${loading.metadata.name}, begun at ${formatDuration(fromRfc3339(loading.metadata.creationTimestamp))}, is not Ready yet`,
      evidence: [{ at: now, about: podName(loading), text: condition(loading, 'Ready')?.message ?? 'not Ready' }],
    }
  if (left && subject.kind === 'StatefulSet')
    return {
      at: now,
      cause: 'stateful-pod-fenced',
      what: `${head}: ${left.metadata.name} has been Terminating on ${left.spec.nodeName} since ${formatDuration(fromRfc3339(left.metadata.deletionTimestamp!))}, and a StatefulSet makes no second pod of one identity`,
      evidence: [
        {
          at: now,
          about: podName(left),
          text: `deletionTimestamp ${left.metadata.deletionTimestamp}; node ${left.spec.nodeName} does not confirm that it has ended`,
        },
      ],
    }
  return {
    at: now,
    cause: 'replacement-not-made',
    what: head,
    evidence: [{ at: now, about: `${subject.kind} ${subject.key}`, text: `${pods.length} pods` }],
  }
}

/** The struck pod is still there, and nobody takes it away. */
function stayed(pod: o.Pod, container: string, head: string, now: Us): Broken {
  const status = pod.status.containerStatuses?.find(({ name }) => name === container)
  const waits = status?.state.waiting
  const ended = status?.lastState.terminated ?? status?.state.terminated
  if (!waits)
    return {
      at: now,
      cause: 'node-never-given-up',
      what: `${head}: ${keyOf(pod).split('/')[1]} is still bound to ${pod.spec.nodeName}, which is gone`,
      evidence: [{ at: now, about: podName(pod), text: toleranceText(pod) }],
    }
  return {
    at: now,
    cause: 'device-lost-nobody-moves',
    what: `${head}: ${pod.metadata.name} stays on ${pod.spec.nodeName} and cannot start (${waits.reason}, ${status?.restartCount ?? 0} restarts)`,
    evidence: [
      ...(ended
        ? [
            {
              at: now,
              about: podName(pod),
              text: `${ended.reason ?? 'ended'}: ${ended.message ?? `exit code ${ended.exitCode}`}`,
            },
          ]
        : []),
      ...(waits.message ? [{ at: now, about: podName(pod), text: waits.message }] : []),
    ],
  }
}

const toleranceText = (pod: o.Pod): string =>
  (pod.spec.tolerations ?? [])
    .filter(({ key, effect }) => (!effect || effect === 'NoExecute') && (!key || /unreachable|not-ready/.test(key)))
    .map(
      ({ key, tolerationSeconds }) =>
        `tolerates ${key ?? 'every taint'} ${tolerationSeconds === undefined ? 'for ever' : `for ${tolerationSeconds} s`}`,
    )
    .join(', ') || 'not Ready'
