import type * as o from '../../kube/objects.ts'

// follows pkg/controller/job/indexed_job_utils.go

export const INDEX = 'batch.kubernetes.io/job-completion-index'

/** The index of a pod of an Indexed Job; undefined where it has none. */
export function completionIndex(pod: o.Pod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** `0,2-5,7,8`: runs of three and more are written as ranges. */
export function formatIndexes(indexes: Iterable<number>): string {
  const runs: [first: number, last: number][] = []
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const run = runs.at(-1)
    if (run && index === run[1] + 1) run[1] = index
    else if (!run || index !== run[1]) runs.push([index, index])
  }
  return runs
    .map(([first, last]) => (first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`))
    .join(',')
}

/** Indexes below `completions`; what cannot be read is passed over. Follows parseIndexesFromString. */
export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const found = new Set<number>()
  if (!text) return found
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (!match) continue
    for (let i = Number(match[1]); i <= Number(match[2] ?? match[1]) && i < completions; i++) found.add(i)
  }
  return found
}

/** Whether one rule of a success policy is met; the first that is. Follows success_policy.go matchSuccessPolicy. */
export function metSuccessRule(spec: o.Job['spec'], succeeded: ReadonlySet<number>): number | undefined {
  if (succeeded.size === 0) return undefined
  const at = (spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount
    const wanted = parseIndexes(succeededIndexes, spec.completions ?? 0)
    const has = [...wanted].filter((index) => succeeded.has(index)).length
    return wanted.size > 0 && (has === wanted.size || (succeededCount !== undefined && has >= succeededCount))
  })
  return at < 0 ? undefined : at
}
