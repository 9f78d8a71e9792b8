import { Node, NodePool, Pod } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { condition, isFinished } from '../../../kube/pods.ts'
import { addResource, zeroResource } from '../../../scheduler/framework/resources.ts'
import { FitSimulator } from '../fit.ts'
import { candidatesOf, type InstanceType } from './candidates.ts'
import type { Claims } from './claims.ts'
import type { PoolChoice } from './packing.ts'

/** The cluster as Karpenter sees it. Follows pkg/controllers/state. */
export class ClusterView {
  private readonly kube: Kube
  private readonly claims: Claims
  private readonly catalogue: readonly InstanceType[]
  private readonly candidates = new WeakMap<o.NodePool, ReturnType<typeof candidatesOf>>()

  constructor(options: { kube: Kube; claims: Claims; catalogue: readonly InstanceType[] }) {
    this.kube = options.kube
    this.claims = options.claims
    this.catalogue = options.catalogue
    for (const kind of [Node, Pod, NodePool]) this.kube.list<o.KubeObject>(kind)
  }

  /** Nodes to place pods on: those that run and those that come, without `leaving`. */
  simulator(leaving: ReadonlySet<string> = new Set()): FitSimulator {
    const nodes: o.Node[] = []
    for (const node of this.kube.list(Node)) {
      const { name } = node.metadata
      const claim = this.claims.all.get(name)
      if (leaving.has(name) || claim?.state === 'deleting') continue
      if (claim && claim.state !== 'initialized') continue
      if (condition(node, 'Ready')?.status === 'True') nodes.push(node)
    }
    for (const claim of this.claims.all.values()) {
      if (claim.state !== 'launching' && claim.state !== 'launched') continue
      const { taints } = this.pool(claim.pool)?.spec.template.spec ?? {}
      const node = this.claims.template(claim)
      nodes.push({ ...node, spec: { ...node.spec, taints: taints ?? [] } })
    }
    const pods = this.kube.list(Pod).filter((pod) => !isFinished(pod))
    return new FitSimulator({ kube: this.kube, nodes, pods })
  }

  /** The pools with what they may buy now, the greatest weight first. */
  pools(): PoolChoice[] {
    return [...this.kube.list(NodePool)]
      .filter(({ metadata }) => !metadata.deletionTimestamp)
      .sort((a, b) => (b.spec.weight ?? 0) - (a.spec.weight ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1))
      .map((pool) => {
        const used = zeroResource()
        for (const { candidate } of this.claims.ofPool(pool.metadata.name)) addResource(used, candidate.capacity, 1)
        const candidates = this.allCandidates(pool).filter((candidate) => this.claims.isAvailable(candidate))
        return { pool, candidates, used }
      })
  }

  pool(name: string): o.NodePool | undefined {
    return this.kube.get(NodePool, name)
  }

  private allCandidates(pool: o.NodePool): ReturnType<typeof candidatesOf> {
    let known = this.candidates.get(pool)
    if (!known) {
      known = candidatesOf(pool, this.catalogue)
      this.candidates.set(pool, known)
    }
    return known
  }
}
