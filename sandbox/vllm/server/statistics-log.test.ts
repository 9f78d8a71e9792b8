import { expect, it } from 'vitest'
import { VirtualClock } from '../../world/clock.ts'
import { seconds } from '../../world/time.ts'
import { EngineHost } from '../engine/engine-host.ts'
import { StatisticsLog } from './statistics-log.ts'

const stepModel = { stepTimePs: () => 10e9 }

it('tells what an engine did, once more that it does nothing, and then nothing', () => {
  const clock = new VirtualClock()
  const engine = new EngineHost(clock, { numGpuBlocks: 101, maxModelLen: 1600 }, stepModel)
  const lines: string[] = []
  const log = new StatisticsLog(clock, [engine], seconds(10), ({ text }) => lines.push(text))
  clock.runUntil(seconds(25))
  expect(lines).toEqual([])
  engine.submit({ id: 'a', promptTokens: 40, outputTokens: 200 }, {})
  engine.submit({ id: 'b', promptTokens: 40, outputTokens: 1500 }, {})
  clock.runUntil(seconds(31))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(
    /^Engine 000: Avg prompt throughput: 8\.0 tokens\/s, Avg generation throughput: 69\.\d tokens\/s, Running: 1 reqs, Waiting: 0 reqs, GPU KV cache usage: 3\d\.0%, Prefix cache hit rate: 0\.0%$/,
  )
  clock.runUntil(seconds(95))
  expect(lines).toHaveLength(4)
  expect(lines[3]).toContain('Avg prompt throughput: 0.0 tokens/s, Avg generation throughput: 0.0 tokens/s, Running: 0')
  log.stop()
  engine.submit({ id: 'c', promptTokens: 40, outputTokens: 20 }, {})
  clock.runUntil(seconds(200))
  expect(lines).toHaveLength(4)
})
