import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../world/clock.ts'
import { EngineHost } from './engine-host.ts'
import { plainSteps } from './test-kit.ts'

const CONFIG = { numGpuBlocks: 101, maxModelLen: 512, maxNumSeqs: 8, maxNumBatchedTokens: 64 }

function hosted() {
  const clock = new VirtualClock()
  return { clock, host: new EngineHost(clock, CONFIG, plainSteps) }
}

describe('engine host', () => {
  it('tells observers at the time it happens', () => {
    const { clock, host } = hosted()
    const heard: [string, number, number][] = []
    host.submit(
      { id: 'a', promptTokens: 8, outputTokens: 3 },
      {
        firstToken: (at) => heard.push(['first', at, clock.now]),
        finished: ({ at }) => heard.push(['finished', at, clock.now]),
      },
    )
    clock.runUntil(1e6)
    // 1 ms per step, 1 µs per token, 7 ps: rounded up to whole microseconds.
    expect(heard).toEqual([
      ['first', 1_009, 1_009],
      ['finished', 3_011, 3_011],
    ])
    expect(clock.nextAt()).toBeUndefined()
  })

  it('shows a scrape every step that has ended, and no other', () => {
    const { clock, host } = hosted()
    host.submit({ id: 'a', promptTokens: 8, outputTokens: 30 }, {})
    clock.runUntil(5_500)
    expect(host.stats()).toMatchObject({ running: 1, generatedTokens: 5 })
    const running = host.metrics({ modelName: 'm' }).find((family) => family.name === 'vllm:num_requests_running')
    expect(running!.samples[0]!.value).toBe(1)
  })

  it('serves a closed loop: an answer that triggers the next request', () => {
    const { clock, host } = hosted()
    let answers = 0
    const ask = (id: number): void => {
      host.submit(
        { id: `r${id}`, promptTokens: 8, outputTokens: 2 },
        {
          finished() {
            answers++
            if (id < 9) ask(id + 1)
          },
        },
      )
    }
    ask(0)
    clock.runUntil(1e6)
    expect(answers).toBe(10)
  })

  it('is silent after its process died', () => {
    const { clock, host } = hosted()
    let heard = 0
    host.submit({ id: 'a', promptTokens: 8, outputTokens: 3 }, { finished: () => heard++ })
    clock.runUntil(1_500)
    host.close()
    clock.runUntil(1e6)
    expect(heard).toBe(0)
  })

  it('keeps its timer over hang and resume', () => {
    const { clock, host } = hosted()
    let finishedAt = 0
    host.submit({ id: 'a', promptTokens: 8, outputTokens: 3 }, { finished: ({ at }) => (finishedAt = at) })
    clock.runUntil(1_500)
    host.hang()
    clock.runUntil(100_000)
    expect(finishedAt).toBe(0)
    host.resume()
    clock.runUntil(1e6)
    expect(finishedAt).toBe(3_011 + 98_500)
  })
})
