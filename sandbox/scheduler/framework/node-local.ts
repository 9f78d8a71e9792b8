import { equal } from '../../journal/merge-patch.ts'
import type { Toleration } from '../../kube/objects.ts'
import { widened } from './node-column.ts'
import type { NodeInfo } from './node-info.ts'
import type { Plugin } from './plugin.ts'
import type { PodFacts, PodInfo } from './pod-info.ts'
import type { Status } from './status.ts'

/** Kinds of pods kept for each set of facts. */
const KEPT_MAX = 8

/**
 * What the plugins that look at nothing but a pod's spec and one node said of nodes, by kind of pod: the pods of one
 * template are asked about again only where a node has changed since.
 */
export class NodeLocal {
  private readonly plugins: readonly Plugin[]
  private readonly kinds = new WeakMap<PodFacts, KindVerdicts[]>()
  private readonly seen = new WeakSet<PodFacts>()

  /** The filters of `plugins` count up to the first that is not node-local: they run in order, and the first rejection stands. */
  constructor(plugins: readonly Plugin[]) {
    this.plugins = plugins
  }

  /** Undefined for the first pod of its kind: most of those that come alone have no second. */
  of({ pod: { spec }, facts }: PodInfo): KindVerdicts | undefined {
    if (!this.seen.has(facts)) {
      this.seen.add(facts)
      return undefined
    }
    let kinds = this.kinds.get(facts)
    if (!kinds) {
      kinds = []
      this.kinds.set(facts, kinds)
    }
    const { nodeName, tolerations = NONE } = spec
    let kind = kinds.find((k) => k.nodeName === nodeName && equal(k.tolerations, tolerations))
    if (kind) return kind
    kind = new KindVerdicts(this.plugins, nodeName, tolerations)
    if (kinds.length >= KEPT_MAX) kinds.shift()
    kinds.push(kind)
    return kind
  }
}

const NONE: readonly Toleration[] = []

/** The verdicts on one kind of pods. */
export class KindVerdicts {
  readonly nodeName: string | undefined
  readonly tolerations: readonly Toleration[]
  /** Plugins at the head of the profile whose filters are answered here. */
  readonly filters: ReadonlySet<Plugin>
  private readonly statuses: (Status | undefined)[] = []
  private generations = new Float64Array(0)
  private readonly scoresBy = new Map<Plugin, { generations: Float64Array; scores: Float64Array }>()

  constructor(plugins: readonly Plugin[], nodeName: string | undefined, tolerations: readonly Toleration[]) {
    this.nodeName = nodeName
    this.tolerations = tolerations
    const filtering = plugins.filter(({ filter }) => filter)
    const other = filtering.findIndex(({ nodeLocal }) => !nodeLocal)
    this.filters = new Set(other < 0 ? filtering : filtering.slice(0, other))
  }

  /** Whether the filters were asked about the node as it is now. */
  knows({ slot, generation }: NodeInfo): boolean {
    return this.generations[slot] === generation
  }

  /** What they said. */
  statusOf({ slot }: NodeInfo): Status | undefined {
    return this.statuses[slot]
  }

  note({ slot, generation }: NodeInfo, status: Status | undefined): void {
    if (slot >= this.generations.length) this.generations = widened(this.generations, slot)
    this.statuses[slot] = status
    this.generations[slot] = generation
  }

  /** Fills `scores` with a node-local plugin's raw scores. */
  score(plugin: Plugin, state: unknown, pod: PodInfo, nodes: readonly NodeInfo[], scores: Float64Array): void {
    let known = this.scoresBy.get(plugin)
    if (!known) {
      known = { generations: new Float64Array(0), scores: new Float64Array(0) }
      this.scoresBy.set(plugin, known)
    }
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!
      const { slot, generation } = node
      if (slot >= known.generations.length) {
        known.generations = widened(known.generations, slot)
        const wider = new Float64Array(known.generations.length)
        wider.set(known.scores)
        known.scores = wider
      }
      if (known.generations[slot] !== generation) {
        known.scores[slot] = plugin.score!(state, pod, node)
        known.generations[slot] = generation
      }
      scores[i] = known.scores[slot]!
    }
  }
}
