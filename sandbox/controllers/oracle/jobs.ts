import fc, { type Arbitrary } from 'fast-check'
import type * as o from '../../kube/objects.ts'
import { defined, maybe, pod, podsOf, SPAN, time } from '../../kube/oracle/pods.ts'
import { seconds } from '../../world/time.ts'

/** Random parts of Jobs for comparisons with Kubernetes' own controller. */

export const indexes: Arbitrary<number[]> = fc
  .uniqueArray(fc.integer({ min: 0, max: 45 }), { maxLength: 12 })
  .map((all) => all.sort((a, b) => a - b))

/** Intervals that rise, as the controller writes them, sometimes with something among them that is no number. */
export const indexText: Arbitrary<string> = fc
  .tuple(indexes, fc.infiniteStream(fc.constantFrom(',', ',', '-')), fc.constantFrom('', '', '', '', 'x', '3x-4', '-'))
  .map(([all, separators, damage]) => {
    let text = ''
    let range = false
    for (const [i, index] of all.entries()) {
      const separator: string = i === 0 ? '' : range ? ',' : (separators.next().value as string)
      range = separator === '-'
      text += separator + index
    }
    return damage ? `${text}${text && ','}${damage}` : text
  })

const rule = fc
  .record({
    succeededIndexes: maybe(indexText.filter((text) => !/x|-$/.test(text))),
    succeededCount: maybe(fc.integer({ min: 1, max: 10 })),
  })
  .map(defined)

export const successSpec: Arbitrary<o.Job['spec']> = fc.record({
  completions: fc.integer({ min: 1, max: 40 }),
  successPolicy: fc.record({ rules: fc.array(rule, { minLength: 1, maxLength: 3 }) }),
}) as unknown as Arbitrary<o.Job['spec']>

const onExitCodes = fc
  .record({
    containerName: maybe(fc.constantFrom('c0', 'i0')),
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc
      .uniqueArray(fc.constantFrom(0, 1, 2, 137), { minLength: 1, maxLength: 3 })
      .map((all) => all.sort((a, b) => a - b)),
  })
  .map(defined)
const onPodConditions = fc.array(
  fc.record({
    type: fc.constantFrom('DisruptionTarget', 'Ready'),
    status: fc.constantFrom('True' as const, 'False' as const),
  }),
  { minLength: 1, maxLength: 2 },
)
const failureRule = fc
  .record({
    action: fc.constantFrom('FailJob', 'FailIndex', 'Ignore', 'Count'),
    by: fc.oneof(fc.record({ onExitCodes }), fc.record({ onPodConditions })),
  })
  .map(({ action, by }) => ({ action, ...by }))

export const failurePolicy = fc.record({ rules: fc.array(failureRule, { minLength: 1, maxLength: 3 }) })

export const failedPod: Arbitrary<o.Pod> = pod.map((made) => ({ ...made, status: { ...made.status, phase: 'Failed' } }))

export const backoffCase = fc.record({
  before: maybe(fc.record({ failures: fc.integer({ min: 1, max: 12 }), lastAt: time })),
  succeeded: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: podsOf(2) }),
  failed: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: podsOf(4) }),
  // a pass comes after what it sees
  now: fc.integer({ min: SPAN, max: SPAN + 1200 }).map(seconds),
})
