import { oracleSuite } from '../../../fixtures/oracles/suite.ts'
import { ApiError } from '../../kube/errors.ts'
import { Deployment, kindOf, Pod, PodDisruptionBudget, ReplicaSet, StatefulSet } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { ms } from '../../world/time.ts'
import { budgetCase } from '../oracle/budgets.ts'
import { passOver } from '../oracle/recorded-kube.ts'
import { disruptionController } from './disruption.ts'

const REACHED = {
  'disruption.go: a pass over a budget':
    /disruption\.go:\*?DisruptionController\.(sync|trySync|getExpected\w+|getPod\w+|getScaleController|implementsScale|finders|buildDisruptedPodMap|failSafe|updatePdbStatus)$|disruption\.go:(countHealthyPods|verifyGroupKind)$/,
}

const { compare, judge } = await oracleSuite('pure', REACHED)
const within = { timeout: 300_000 }

const CONTROLLER = kindOf({ apiVersion: 'v1', kind: 'ReplicationController' })
const ROLLOUT = kindOf({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' })
const SCALED = new Set([ReplicaSet.id, StatefulSet.id, CONTROLLER.id, ROLLOUT.id])

type Case = typeof budgetCase extends import('fast-check').Arbitrary<infer C> ? C : never

const passOf = (item: Case) =>
  passOver(disruptionController, 'default/web', {
    objects: [
      [PodDisruptionBudget, [item.budget]],
      [Pod, item.pods],
      [Deployment, item.deployments],
      [ReplicaSet, item.replicaSets],
      [StatefulSet, item.statefulSets],
      [CONTROLLER, item.controllers],
      [ROLLOUT, item.rollouts],
    ],
    scaled: SCALED,
    answer: (_, writes) => (writes === 1 ? refusal(item.fails) : undefined),
    now: item.now,
  })

function refusal(why: string): ApiError | undefined {
  if (why === 'Conflict') return new ApiError(409, 'Conflict', 'it changed')
  return why ? new ApiError(500, 'InternalError', why) : undefined
}

const statusesOf = (item: Case) => passOf(item).asked.map(({ object }) => (object as o.PodDisruptionBudget).status)

/** A queue of its own lets go of a budget a little after it is due. */
const RECHECK = ms(5)

/** As the oracle is asked; of custom resources it needs the scales alone. */
const asked = budgetCase.map((item) => ({
  ...item,
  scales: item.rollouts.map(({ metadata, spec }) => ({
    name: metadata.name,
    uid: metadata.uid,
    replicas: spec.replicas,
  })),
}))

const ours = (item: Case) => {
  const { events, again, failed } = passOf(item)
  return { writes: statusesOf(item), events, again: again.map((after) => after - RECHECK), failed }
}
const theirs = ({ again, ...answer }: { again: number[] | null }) => ({ ...answer, again: again ?? [] })

compare('a budget', within, () =>
  judge({
    area: 'budgets: expected, healthy and disrupted pods, status, events, when it is looked at again',
    op: 'budget',
    cases: asked,
    runs: 10_000,
    ours,
    theirs,
  }),
)

compare('a budget whose status is nearly right', within, () =>
  judge({
    area: 'budgets: whether a status is up to date',
    op: 'budget',
    cases: asked.map((item) => {
      const status = statusesOf(item).at(-1) ?? item.budget.status
      return { ...item, budget: { ...item.budget, status } }
    }),
    runs: 5_000,
    ours,
    theirs,
  }),
)
