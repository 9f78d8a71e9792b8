import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { byPart, selfTimes } from './profile.ts'

it('adds up the time of samples by function and by part, idle time left out', () => {
  const frame = (id: number, functionName: string, url: string) => ({
    id,
    callFrame: { functionName, url, lineNumber: 9 },
  })
  const profile = {
    nodes: [
      frame(1, '(idle)', ''),
      frame(2, 'step', 'file:///repo/sandbox/vllm/engine.ts'),
      frame(3, '', 'file:///repo/sandbox/vllm/pool.ts'),
      frame(4, '(garbage collector)', ''),
    ],
    samples: [2, 1, 3, 2, 4],
    timeDeltas: [10, 1000, 20, 50, 20],
  }
  const file = join(mkdtempSync(join(tmpdir(), 'seatrial-profile-')), 'x.cpuprofile')
  writeFileSync(file, JSON.stringify(profile))
  const times = selfTimes(file, 'file:///repo/')
  expect(times).toEqual([
    { where: 'step sandbox/vllm/engine.ts:10', share: 0.6 },
    { where: '(anonymous) sandbox/vllm/pool.ts:10', share: 0.2 },
    { where: '(garbage collector)', share: 0.2 },
  ])
  expect(byPart(times)).toEqual([
    { where: 'sandbox/vllm', share: 0.8 },
    { where: 'garbage collector', share: 0.2 },
  ])
})
