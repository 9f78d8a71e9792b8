/** Whose nodes: kwok's, or ours with as few requests as kwok's, or with all of a kubelet's. */
export const ACTORS = ['kwok', 'least', 'full'] as const
export type Actor = (typeof ACTORS)[number]

const NAMES: Readonly<Record<Actor, string>> = {
  kwok: 'kwok',
  least: 'ours, least traffic',
  full: 'ours, a kubelet’s traffic',
}

/** What one run came to. */
export interface Figures {
  /** Seconds from the start of the actor's process until every node is Ready. */
  readonly nodesReadyS: number
  readonly nodesCpuS: number
  /** Seconds from the Deployment's creation until its status says that every replica is Ready. */
  readonly podsReadyS: number
  readonly podsCpuS: number
  /** Of the control plane while pods became Ready. */
  readonly planeCpuS: number
  /** Of one core, with everything Ready: leases are renewed. */
  readonly idleCpuPercent: number
  readonly idlePlaneCpuPercent: number
  readonly peakRssMiB: number
  /** Of the whole machine at the end, per minute: what else it had to do. */
  readonly load: number
  /** kwok takes nodes that somebody makes: what making them cost the bench. */
  readonly makingNodesCpuS?: number
}

const ROWS: readonly (readonly [key: keyof Figures, what: string, digits: number])[] = [
  ['nodesReadyS', 'nodes Ready, wall s', 1],
  ['nodesCpuS', 'nodes Ready, CPU s of the actor', 2],
  ['podsReadyS', 'pods Ready, wall s', 1],
  ['podsCpuS', 'pods Ready, CPU s of the actor', 2],
  ['planeCpuS', 'pods Ready, CPU s of the control plane', 1],
  ['idleCpuPercent', 'then, CPU of the actor, % of a core', 1],
  ['idlePlaneCpuPercent', 'then, CPU of the control plane, % of a core', 1],
  ['peakRssMiB', 'peak RSS of the actor, MiB', 0],
  ['load', 'load average of the machine', 0],
]

/** Medians with ranges, and in brackets the ratio to kwok, as a table in Markdown. */
export function tableOf(figures: Readonly<Record<Actor, readonly Figures[]>>): string {
  const actors = ACTORS.filter((actor) => figures[actor].length > 0)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rows = ROWS.map(([key, what, digits]) => {
    const of = (actor: Actor) => figures[actor].map((figure) => figure[key] ?? 0).sort((a, b) => a - b)
    const kwok = median(of('kwok'))
    return line([
      what,
      ...actors.map((actor) => {
        const values = of(actor)
        const range = values.length > 1 ? ` (${values[0]!.toFixed(digits)} – ${values.at(-1)!.toFixed(digits)})` : ''
        const ratio = actor === 'kwok' || !(kwok > 0) ? '' : ` · × ${(median(values) / kwok).toFixed(2)}`
        return `${median(values).toFixed(digits)}${range}${ratio}`
      }),
    ])
  })
  return [line(['', ...actors.map((a) => NAMES[a])]), line(['---', ...actors.map(() => '---')]), ...rows].join('\n')
}

const median = (sorted: readonly number[]): number => {
  const middle = sorted.length >> 1
  return sorted.length === 0
    ? Number.NaN
    : sorted.length % 2 === 1
      ? sorted[middle]!
      : (sorted[middle - 1]! + sorted[middle]!) / 2
}
