import { expect, it } from 'vitest'
import { seconds } from '../../sandbox/world/time.ts'
import { phasesText } from './start-phases.ts'

const start = {
  scaledAt: seconds(131),
  createdAt: seconds(132),
  scheduledAt: seconds(132),
  startedAt: seconds(178),
  readyAt: seconds(270),
}

it('tells every phase of a start by itself', () => {
  expect(phasesText(seconds(100), start)).toBe('autoscaler 31s, pod 1s, node 0ms, image 46s, load and probe 1m32s')
})

it('ends with the phase that is not over', () => {
  expect(phasesText(seconds(100), { ...start, startedAt: undefined, readyAt: undefined })).toBe(
    'autoscaler 31s, pod 1s, node 0ms, image not over',
  )
})
