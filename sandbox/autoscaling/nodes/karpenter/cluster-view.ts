import { podsByNode } from '../../../controllers/node-lifecycle/pods-not-ready.ts'
import { DaemonSet, Node, NodePool, Pod, PodDisruptionBudget } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import { condition, isFinished } from '../../../kube/pods.ts'
import { labelSelector } from '../../../kube/selectors.ts'
import { addResource, zeroResource } from '../../../scheduler/framework/resources.ts'
import { daemonPods } from '../daemons.ts'
import { FitSimulator, unbound } from '../fit.ts'
import { candidatesOf, type DaemonPod, type InstanceType } from './candidates.ts'
import type { Claim, Claims } from './claims.ts'
import type { PoolChoice } from './packing.ts'
import { isProtected, isReschedulable } from './pods.ts'

/** The cluster as Karpenter sees it. Follows pkg/controllers/state. */
export class ClusterView {
  private readonly kube: Kube
  private readonly claims: Claims
  private readonly catalogue: readonly InstanceType[]
  private candidates = new WeakMap<o.NodePool, ReturnType<typeof candidatesOf>>()
  private daemons: readonly DaemonPod[] | undefined

  constructor(options: { kube: Kube; claims: Claims; catalogue: readonly InstanceType[] }) {
    this.kube = options.kube
    this.claims = options.claims
    this.catalogue = options.catalogue
    for (const kind of [Node, Pod, NodePool, PodDisruptionBudget]) this.kube.list<o.KubeObject>(kind)
    const changed = () => {
      this.daemons = undefined
      this.candidates = new WeakMap()
    }
    this.kube.watch(DaemonSet, {
      added: changed,
      updated: (before, after) => before.spec !== after.spec && changed(),
      deleted: changed,
    })
  }

  /** Nodes to place pods on: those that run and those that come, without `leaving`. */
  simulator(leaving: ReadonlySet<string> = new Set()): FitSimulator {
    const nodes: o.Node[] = []
    for (const node of this.kube.list(Node)) {
      const { name } = node.metadata
      const claim = this.claims.all.get(name)
      if (leaving.has(name) || (claim && isGoing(claim))) continue
      if (claim && claim.state !== 'initialized') continue
      if (condition(node, 'Ready')?.status === 'True') nodes.push(node)
    }
    for (const claim of this.claims.all.values()) {
      if (isGoing(claim) || (claim.state !== 'launching' && claim.state !== 'launched')) continue
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
        const resources = zeroResource()
        const own = this.claims.ofPool(pool.metadata.name)
        for (const { candidate } of own) addResource(resources, candidate.capacity, 1)
        const candidates = this.allCandidates(pool).filter((candidate) => this.claims.isAvailable(candidate))
        return { pool, candidates, used: { resources, nodes: own.length } }
      })
  }

  /** The pods on a node that need a place elsewhere when it goes. */
  reschedulable(node: string): o.Pod[] {
    return this.kube.indexed(podsByNode, node).filter(isReschedulable)
  }

  /** The pods of nodes on their way out that will leave them, as if they had no node: places are got ready for them. */
  leaving(now: number): o.Pod[] {
    return [...this.claims.all.values()]
      .filter((claim) => isGoing(claim))
      .flatMap(({ name }) => this.reschedulable(name))
      .filter((pod) => !isProtected(pod, now) && this.mayBeEvicted(pod))
      .map(unbound)
  }

  /** Follows pkg/utils/pdb/pdb.go. */
  mayBeEvicted({ metadata }: o.Pod): boolean {
    return this.kube
      .list(PodDisruptionBudget, { namespace: metadata.namespace ?? 'default' })
      .every(
        (budget) =>
          !labelSelector(budget.spec.selector).matches(metadata.labels ?? {}) ||
          (budget.status?.disruptionsAllowed ?? 0) > 0,
      )
  }

  pool(name: string): o.NodePool | undefined {
    return this.kube.get(NodePool, name)
  }

  private allCandidates(pool: o.NodePool): ReturnType<typeof candidatesOf> {
    let known = this.candidates.get(pool)
    if (!known) {
      this.daemons ??= daemonPods(this.kube)
      known = candidatesOf(pool, this.catalogue, this.daemons)
      this.candidates.set(pool, known)
    }
    return known
  }
}

/** Whether its node is marked for deletion. */
export const isGoing = ({ state, disruptedFor }: Claim): boolean => state === 'deleting' || disruptedFor !== undefined
