import { cron } from '../../../sandbox/autoscaling/nodes/karpenter/budgets.ts'
import type { DisruptionBudget } from '../../../sandbox/kube/objects.ts'
import type { NodeGroup } from '../../../sandbox/tiers/tier.ts'
import { boughtFor } from '../inputs/pool-groups.ts'
import type { SourcePosition } from '../locate.ts'
import { type FieldPath, valueAt } from '../path.ts'
import { type Platform, type PlatformObject, sourceOf } from '../platform.ts'
import { type FoundPool, nodeClassOf, nodePoolsOf, SPOT_SHARE } from './node-pools.ts'
import type { WrittenPodSpec } from './pod-templates.ts'

export interface PoolProblem {
  readonly what: string
  readonly why: string
  readonly source: SourcePosition
}

/** What of a platform's NodePools keeps the nodes of a server's pods from being known. */
export function poolProblems(platform: Platform, spec: WrittenPodSpec, nodes: readonly NodeGroup[]): PoolProblem[] {
  const { pools } = nodePoolsOf(platform)
  const problems: PoolProblem[] = []
  const add = ({ object }: FoundPool, path: FieldPath, why: string) =>
    problems.push({
      what: `nodepools.karpenter.sh/${object.manifest.metadata.name}`,
      why,
      source: sourceOf(object, path),
    })
  for (const found of pools) {
    const { object, unknown, isKnown } = found
    if (object.manifest.apiVersion !== 'karpenter.sh/v1')
      add(found, ['apiVersion'], `${object.manifest.apiVersion} is not read, only karpenter.sh/v1`)
    if (valueAt(object.manifest, 'spec.replicas') !== undefined)
      add(found, ['spec', 'replicas'], 'static pools are not simulated')
    if (!isKnown)
      add(
        found,
        ['spec', 'template', 'spec', 'nodeClassRef'],
        `what ${nodeClassOf(object).kind ?? 'its node class'} can buy is not known: give provisioning.instanceTypes in seatrial.yaml`,
      )
    if (unknown[0] && boughtFor(spec, [found]))
      add(
        found,
        ['spec', 'template', 'spec', 'requirements', unknown[0].index],
        `${unknown[0].key} of the instance types is not known`,
      )
    const bad = badBudget(object)
    if (bad) add(found, ['spec', 'disruption', 'budgets'], bad)
  }
  const empty = pools.find(({ candidates, isKnown }) => isKnown && candidates.length === 0)
  const hasNodes = nodes.some(({ gpu, nodePool }) => gpu !== undefined && nodePool === undefined)
  if (empty && !hasNodes && !boughtFor(spec, pools))
    add(
      empty,
      ['spec', 'template', 'spec', 'requirements'],
      'no instance type known here meets its requirements: give provisioning.instanceTypes in seatrial.yaml',
    )
  return problems
}

function badBudget({ manifest }: PlatformObject): string | undefined {
  const budgets = valueAt(manifest, 'spec.disruption.budgets')
  for (const { schedule } of Array.isArray(budgets) ? (budgets as DisruptionBudget[]) : []) {
    if (schedule === undefined) continue
    try {
      cron(schedule)
    } catch (error) {
      return `the schedule ${schedule} cannot be read: ${(error as Error).message}`
    }
  }
  return undefined
}

/** What is taken on trust of Karpenter, one line each. */
export function describePools(platform: Platform): string[] {
  const { pools } = nodePoolsOf(platform)
  if (pools.length === 0) return []
  const names = pools.map(({ pool }) => pool.metadata.name).join(', ')
  const classes = new Set(pools.map(({ object }) => nodeClassOf(object)).map(({ kind, name }) => `${kind} ${name}`))
  const { noCapacity = [] } = platform.config?.provisioning ?? {}
  const scheduled = pools.some(({ pool }) =>
    pool.spec.disruption?.budgets?.some(({ schedule }) => schedule !== undefined),
  )
  return [
    `Karpenter is taken to run, and buys nodes by NodePool ${names}`,
    `its instance types: list prices of mid-2025, spot at ${SPOT_SHARE * 100} % of them, ${noCapacity.length > 0 ? `none of ${noCapacity.join(', ')}` : 'and always capacity'} (provisioning in seatrial.yaml)`,
    ...[...classes].map((one) => `${one} is not simulated: images, disks, networks and user data of the nodes`),
    ...(scheduled ? ['schedules of disruption budgets: a trial begins on a Thursday, 2026-01-01 00:00 UTC'] : []),
  ]
}
