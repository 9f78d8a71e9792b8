import { expect, it } from 'vitest'
import type { Difference } from './comparison.ts'
import { knownCause, knownCauses } from './known-causes.ts'
import { streams } from './streams/index.ts'

const difference: Difference = {
  sort: 'late',
  stream: 'scaling',
  what: 'HorizontalPodAutoscaler/keda-hpa-chat AbleToScale=True ScaleDownStabilized',
  times: 1,
  phase: 'timeline',
  intoUs: 0,
}

it('is of a stream that exists', () => {
  const names = streams.map(({ name }) => name)
  expect(knownCauses.filter(({ stream }) => !names.includes(stream))).toEqual([])
})

it('explains what it names and nothing else', () => {
  expect(knownCause('node-lost', difference)).toMatchObject({ sort: 'known' })
  expect(knownCause('node-lost', { ...difference, stream: 'replicas' })).toBeUndefined()
  const wants = { ...difference, what: 'HorizontalPodAutoscaler/keda-hpa-chat wants 2' }
  expect(knownCause('node-lost', wants)).toBeUndefined()
})
