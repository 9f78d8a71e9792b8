import fc from 'fast-check'
import { oracleSuite } from '../../fixtures/oracles/suite.ts'
import type * as o from '../kube/objects.ts'
import { defined, maybe, pod } from '../kube/oracle/pods.ts'
import { seconds } from '../world/time.ts'
import { Backoff } from './backoff.ts'
import { phaseOf } from './phase.ts'
import { goDuration } from './timings.ts'

const { compare, judge } = await oracleSuite('pure', { 'kubelet_pods.go: getPhase': /kubelet_pods\.go:getPhase$/ })
const within = { timeout: 300_000 }

const step = fc.record({
  op: fc.constantFrom('next', 'next', 'since', 'sinceUpdate', 'forget'),
  item: fc.constantFrom('a', 'b'),
  after: fc.constantFrom(0, 1, 10, 20, 300, 599, 600, 601, 1300),
  ago: fc.constantFrom(0, 5, 30, 700),
})

/** Steps at times that rise. */
const cases = fc
  .record({
    initial: fc.integer({ min: 1, max: 20 }).map(seconds),
    max: fc.integer({ min: 20, max: 400 }).map(seconds),
    steps: fc.array(step, { minLength: 1, maxLength: 20 }),
  })
  .map(({ initial, max, steps }) => {
    let now = 10_000
    const timed = steps.map(({ op, item, after, ago }) => {
      now += after
      return { op, item, at: seconds(now), eventAt: seconds(now - ago) }
    })
    return { initialUs: initial, maxUs: max, steps: timed }
  })

compare('back-off of containers and images', within, () =>
  judge({
    area: 'kubelet: back-off of containers and images over time',
    op: 'backoffs',
    cases,
    runs: 5_000,
    ours: ({ initialUs, maxUs, steps }) => {
      const backoff = new Backoff({ initial: initialUs, max: maxUs })
      const said = steps.flatMap(({ op, item, at, eventAt }) => {
        const answer: unknown[] = []
        if (op === 'next') backoff.next(item, eventAt, at)
        if (op === 'since') answer.push(backoff.isActiveSince(item, eventAt, at))
        if (op === 'sinceUpdate') answer.push(backoff.isActiveSinceUpdate(item, at))
        if (op === 'forget') backoff.forget(item)
        return [...answer, backoff.get(item)]
      })
      return { said }
    },
  }),
)

compare('durations', within, () =>
  judge({
    area: 'durations as Go prints them, to the millisecond',
    op: 'duration',
    cases: fc
      .oneof(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 1e9 }))
      .map((n) => ({ text: `${n}ms` })),
    runs: 5_000,
    ours: ({ text }) => ({ text: goDuration(Number.parseInt(text, 10) * 1000) }),
    theirs: ({ text }: { text: string }) => ({ text }),
  }),
)

const policies = fc.array(maybe(fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const)), {
  minLength: 3,
  maxLength: 3,
})

/** Pods whose containers may have a restart policy of their own, and statuses that may say nothing. */
const phases = fc
  .record({ pod, policies, blank: fc.integer({ min: 0, max: 12 }), terminal: fc.boolean(), initialized: fc.boolean() })
  .map(({ pod: made, policies: own, blank, ...rest }) => {
    const containers = made.spec.containers.map((one, i) => defined({ ...one, restartPolicy: own[i] }))
    const { containerStatuses = [], initContainerStatuses = [] } = made.status
    const statuses = [...containerStatuses, ...initContainerStatuses].map((status, i) =>
      i === blank ? { ...status, state: {} } : status,
    )
    return { ...rest, pod: { ...made, spec: { ...made.spec, containers } } as o.Pod, statuses }
  })

compare('phases', within, () =>
  judge({
    area: 'kubelet: phase of a pod',
    op: 'phase',
    cases: phases,
    runs: 10_000,
    ours: ({ pod: of, statuses, terminal, initialized }) => ({
      phase: phaseOf(of, statuses, { terminal, initialized }),
    }),
  }),
)
