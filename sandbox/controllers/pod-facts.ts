import type { Pod } from '../kube/objects.ts'
import { condition, isActive, isReady, isTerminating } from '../kube/pods.ts'
import { fromRfc3339, type Us } from '../world/time.ts'

/** What a controller asks of a pod on every pass over thousands of them. */
export interface PodFacts {
  readonly active: boolean
  readonly terminating: boolean
  readonly ready: boolean
  /** When readiness last changed, either way. */
  readonly readyChangedAt: Us | undefined
}

const known = new WeakMap<Pod, PodFacts>()

/** Worked out once for each version of a pod: cached objects never change. */
export function factsOf(pod: Pod): PodFacts {
  let facts = known.get(pod)
  if (!facts) {
    const changed = condition(pod, 'Ready')?.lastTransitionTime
    facts = {
      active: isActive(pod),
      terminating: isTerminating(pod),
      ready: isReady(pod),
      readyChangedAt: changed === undefined ? undefined : fromRfc3339(changed),
    }
    known.set(pod, facts)
  }
  return facts
}

/** A test of a pod's labels that looks at each labels object once: pods made from one template share theirs. */
export function labelTest(matches: (labels: Record<string, string> | undefined) => boolean): (pod: Pod) => boolean {
  const answers = new Map<unknown, boolean>()
  let last: { labels: unknown; answer: boolean } | undefined
  return ({ metadata: { labels } }) => {
    if (last && last.labels === labels) return last.answer
    const answer = answers.get(labels) ?? matches(labels)
    answers.set(labels, answer)
    last = { labels, answer }
    return answer
  }
}
