import fc from 'fast-check'
import { oracleSuite } from '../../fixtures/oracles/suite.ts'
import { finished } from '../autoscaling/keda/oracle/stand-ins.ts'
import type * as o from '../kube/objects.ts'
import { podsOf, time } from '../kube/oracle/pods.ts'
import { VirtualClock } from '../world/clock.ts'
import { seconds, toRfc3339 } from '../world/time.ts'
import { allowsSurge, boundsOf } from './daemonset/pass.ts'
import { daemonTolerations, judgeNode, onNode, targetNode } from './daemonset/placement.ts'
import { rankForDeletion } from './deletion-rank.ts'
import { maxSurgeOf, maxUnavailableOf, newReplicasOf } from './deployment/fenceposts.ts'
import { isProgressing, isTimedOut } from './deployment/progress.ts'
import { terminatingReplicas } from './deployment/replica-counts.ts'
import { activeOrLatest, isSaturated, proportionOf } from './deployment/scale.ts'
import { isComplete } from './deployment/status.ts'
import { hasProgressDeadline } from './deployment/working-copy.ts'
import { healthyPods } from './disruption/disrupted-pods.ts'
import { formatIndexes, metSuccessRule, parseIndexes } from './job/indexes.ts'
import { backoffLeft, finishedAt, matchFailurePolicy, nextBackoff } from './job/pods.ts'
import { zoneKeyOf } from './node-lifecycle/zones.ts'
import * as jobs from './oracle/jobs.ts'
import { REACHED } from './oracle/reached.ts'
import * as cases from './oracle/workloads.ts'
import { matching, shortest } from './taint-eviction/controller.ts'
import { WorkQueue } from './workqueue.ts'

const { compare, judge } = await oracleSuite('pure', REACHED)
const within = { timeout: 300_000 }

compare('sizes of a rollout', within, () =>
  judge({
    area: 'rollout: surge, unavailable, size of the new set, shares, saturation, terminating',
    op: 'rollout',
    cases: fc
      .record({
        deployment: cases.deployment(fc.integer({ min: 0, max: 30 })),
        sets: cases.replicaSets,
        new: fc.boolean(),
        toAdd: fc.integer({ min: -20, max: 20 }),
        added: fc.integer({ min: 0, max: 5 }),
      })
      .map((item) => ({ ...item, added: item.toAdd < 0 ? -item.added : item.added })),
    runs: 10_000,
    ours: ({ deployment: d, sets, new: isNew, toAdd, added }) => {
      const current = isNew ? sets[0] : undefined
      const old = isNew ? sets.slice(1) : sets
      return {
        maxSurge: maxSurgeOf(d),
        maxUnavailable: maxUnavailableOf(d),
        shares: sets.map((rs) => proportionOf(rs, d, toAdd, added)),
        newReplicas: current && newReplicasOf(d, sets, current.spec.replicas),
        saturated: current !== undefined && isSaturated(d, current),
        only: activeOrLatest(current, old)?.metadata.name,
        terminating: terminatingReplicas(sets) ?? null,
      }
    },
  }),
)

compare('progress of a rollout', within, () =>
  judge({
    area: 'rollout: complete, progressing, timed out',
    op: 'progress',
    cases: fc.record({
      deployment: cases.deployment(fc.integer({ min: 0, max: 4 })),
      status: cases.deploymentStatus,
      now: time,
    }),
    runs: 10_000,
    ours: ({ deployment: d, status, now }) => ({
      complete: isComplete(d, status),
      progressing: isProgressing(d, status),
      timedOut: hasProgressDeadline(d) && isTimedOut(d, status, now),
    }),
  }),
)

compare('order of deletion', within, () =>
  judge({
    area: 'ReplicaSets: which pods go first',
    op: 'deletionRank',
    cases: fc.record({ pods: podsOf(6), related: podsOf(4), now: time }),
    runs: 10_000,
    ours: ({ pods, related, now }) => ({
      order: rankForDeletion(pods, related, now).map(({ metadata }) => metadata.name),
    }),
  }),
)

compare('taints and tolerations', within, () =>
  judge({
    area: 'taint eviction: tolerated, for how long',
    op: 'toleration',
    cases: fc.record({ taints: cases.taints, tolerations: cases.tolerations }),
    runs: 10_000,
    ours: ({ taints, tolerations }) => {
      const used = matching(taints, tolerations)
      if (!used) return { tolerated: false }
      const least = shortest(used)
      return { tolerated: true, seconds: least === undefined ? 'for ever' : least / 1e6 }
    },
    theirs: ({ seconds: least, ...answer }: { tolerated: boolean; seconds?: number }) =>
      least === undefined ? answer : { ...answer, seconds: least < 0 ? 'for ever' : least },
  }),
)

compare('daemons on nodes', within, () =>
  judge({
    area: 'DaemonSets: where a pod belongs and may stay, its tolerations and affinity',
    op: 'daemonNode',
    cases: fc.record({ set: cases.daemonSet, node: cases.node }),
    runs: 5_000,
    ours: ({ set, node }) => {
      const { spec } = set.spec.template
      const { shouldRun, mayStay } = judgeNode(set, node)
      const affinity = onNode(spec.affinity, node.metadata.name)
      const bound = { spec: { ...spec, nodeName: undefined, affinity } } as unknown as o.Pod
      return {
        run: shouldRun,
        stay: mayStay,
        tolerations: daemonTolerations(spec).map(({ value, ...rest }) => (value ? { ...rest, value } : rest)),
        affinity,
        target: targetNode(bound),
      }
    },
  }),
)

compare('counts of a daemon rollout', within, () =>
  judge({
    area: 'DaemonSets: surge and unavailable of an update',
    op: 'daemonCounts',
    cases: fc.record({ set: cases.daemonSet, nodes: fc.integer({ min: 0, max: 40 }) }),
    runs: 5_000,
    ours: ({ set, nodes }) => {
      const plain = { ...set, spec: { ...set.spec, template: { metadata: {}, spec: { containers: [] } } } }
      const node = (i: number) => ({ metadata: { name: `n${i}` }, spec: {} }) as unknown as o.Node
      const pass = { set: plain, nodes: Array.from({ length: nodes }, (_, i) => node(i)) }
      const { surge, unavailable: down } = boundsOf(pass as never)
      return { surge, unavailable: down, allowsSurge: allowsSurge(set) }
    },
  }),
)

compare('zones', within, () =>
  judge({
    area: 'zones of nodes',
    op: 'zone',
    cases: fc.record({ node: cases.node }),
    runs: 2_000,
    ours: ({ node }) => ({ key: zoneKeyOf(node) }),
  }),
)

compare('indexes of a Job', within, () =>
  judge({
    area: 'Jobs: lists of indexes, read, merged and written',
    op: 'indexes',
    cases: fc.record({ text: jobs.indexText, completions: fc.integer({ min: 1, max: 40 }), more: jobs.indexes }),
    runs: 10_000,
    ours: ({ text, completions, more }) => {
      const parsed = parseIndexes(text, completions)
      return { parsed: formatIndexes(parsed), merged: formatIndexes([...parsed, ...more]) }
    },
  }),
)

compare('success policies', within, () =>
  judge({
    area: 'Jobs: success policies',
    op: 'successPolicy',
    cases: fc.record({ spec: jobs.successSpec, succeeded: jobs.indexes }),
    runs: 10_000,
    ours: ({ spec, succeeded }) => {
      const rule = metSuccessRule(spec, new Set(succeeded))
      return { met: rule !== undefined, rule: rule === undefined ? '' : `Matched rules at index ${rule}` }
    },
  }),
)

compare('failure policies', within, () =>
  judge({
    area: 'Jobs: pod failure policies',
    op: 'failurePolicy',
    cases: fc.record({ policy: jobs.failurePolicy, pod: jobs.failedPod }),
    runs: 10_000,
    ours: ({ policy, pod }) => matchFailurePolicy({ spec: { podFailurePolicy: policy } } as unknown as o.Job, pod),
  }),
)

compare('back-off of a Job', within, () =>
  judge({
    area: 'Jobs: when pods ended, failures that count, time left',
    op: 'jobBackoff',
    cases: jobs.backoffCase,
    runs: 10_000,
    ours: ({ before, succeeded, failed, now }) => {
      const record = nextBackoff(
        before && { failures: before.failures, lastFailureAt: before.lastAt },
        succeeded,
        failed,
      )
      return {
        ends: [...succeeded, ...failed].map(finishedAt),
        failures: record.failures,
        left: backoffLeft(record, now),
      }
    },
  }),
)

compare('delays of a work queue', within, () =>
  judge({
    area: 'work queues: delay of each failure of one item',
    op: 'itemBackoff',
    cases: fc.record({ baseUs: fc.integer({ min: 1, max: 10_000_000 }), failures: fc.integer({ min: 1, max: 40 }) }),
    edges: [{ baseUs: 5_000, failures: 40 }],
    runs: 2_000,
    ours: ({ baseUs, failures }) => ({ delays: delaysOf(baseUs, failures) }),
  }),
)

/** One item alone in its queue fails each time as soon as it comes. */
function delaysOf(baseDelay: number, failures: number): number[] {
  const clock = new VirtualClock()
  const queue = new WorkQueue(clock, { baseDelay })
  return Array.from({ length: failures }, () => {
    queue.addRateLimited('item')
    const delay = (clock.nextAt() ?? clock.now) - clock.now
    clock.runUntil(clock.now + seconds(2000))
    finished(queue.take())
    queue.done('item')
    return delay
  })
}

compare('healthy pods of a budget', within, () =>
  judge({
    area: 'budgets: which pods count as healthy',
    op: 'healthyPods',
    cases: fc
      .record({
        pods: podsOf(6),
        disrupted: fc.dictionary(
          fc.integer({ min: 0, max: 9 }).map((n) => `p${n}`),
          time.map(toRfc3339),
          { maxKeys: 5 },
        ),
        now: time,
      })
      .map(({ pods, ...rest }) => ({
        ...rest,
        // few names, so that some are among the disrupted
        pods: pods.map((made, i) => ({ ...made, metadata: { ...made.metadata, name: `p${i}` } })),
      })),
    runs: 5_000,
    ours: ({ pods, disrupted, now }) => ({ healthy: healthyPods(pods, disrupted, now) }),
  }),
)
