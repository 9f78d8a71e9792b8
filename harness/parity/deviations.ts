/** Where an actor of ours decides otherwise than the program it stands for, and stays so. */
export interface Deviation {
  /** The actor: `scheduler`, `preemption`, `hpa`, `keda`, `promql`, `quantities`, … */
  readonly area: string
  /** What ours does. */
  readonly ours: string
  /** What upstream does. */
  readonly upstream: string
  /** Why it is left so. */
  readonly why: string
  /** The upstream source that decides it: `pkg/scheduler/schedule_one.go`. */
  readonly file: string
}

/** All that are known, by area. An oracle that finds another adds it here, or the actor is mended. `docs/reference/parity.md` prints them. */
export const deviations: readonly Deviation[] = [
  {
    area: 'scheduler',
    ours: 'draws uniformly, from the seed, among nodes of equal score',
    upstream: 'keeps one of the equal ones by reservoir sampling in the order in which parallel workers finished',
    why: 'the order is a race of threads; the set drawn from is the same',
    file: 'pkg/scheduler/schedule_one.go selectHost',
  },
]
