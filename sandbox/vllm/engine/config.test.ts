import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { plainSteps } from './test-kit.ts'
import { resolveConfig } from './types.ts'

describe('engine config', () => {
  it("fills in vLLM's defaults and ignores what is undefined", () => {
    expect(resolveConfig({ numGpuBlocks: 100, maxModelLen: 512, blockSize: undefined })).toMatchObject({
      ...{ blockSize: 16, enablePrefixCaching: true, asyncScheduling: true, schedulingPolicy: 'fcfs', watermark: 0 },
    })
  })

  it.each([
    [{ numGpuBlocks: 0, maxModelLen: 10 }, /numGpuBlocks must be a positive integer/],
    [
      { numGpuBlocks: 9, maxModelLen: 100, maxNumSeqs: 64, maxNumBatchedTokens: 32 },
      /max_num_batched_tokens \(32\) must be greater/,
    ],
    [{ numGpuBlocks: 4, maxModelLen: 100 }, /4 blocks of 16 tokens cannot hold one request of max_model_len 100/],
  ])('refuses %o', (config, message) => {
    expect(() => resolveConfig(config)).toThrow(message)
  })

  it('refuses requests its front end would have refused', () => {
    const engine = new Engine({ numGpuBlocks: 100, maxModelLen: 64 }, plainSteps)
    const submit = (id: string, promptTokens: number, outputTokens: number) => () =>
      engine.submit({ id, promptTokens, outputTokens }, 0)
    expect(submit('a', 64, 1)).toThrow('64 prompt tokens do not fit a context of 64')
    expect(submit('a', 0, 1)).toThrow('0 prompt tokens')
    expect(submit('a', 5, 0)).toThrow('outputTokens must be a positive integer')
    expect(submit('a', 63, 9)).not.toThrow()
    expect(submit('a', 5, 5)).toThrow('the id is in use')
  })

  it('ends a request where the context ends', () => {
    const engine = new Engine({ numGpuBlocks: 100, maxModelLen: 64 }, plainSteps)
    const heard: unknown[] = []
    engine.submit({ id: 'a', promptTokens: 60, outputTokens: 50 }, 0, { finished: (result) => heard.push(result) })
    engine.advanceTo(1e6)
    expect(heard).toMatchObject([{ outputTokens: 4, reason: 'length' }])
  })

  it('without chunked prefill lets a long prompt wait for a step that has room for all of it', () => {
    const engine = new Engine(
      { numGpuBlocks: 100, maxModelLen: 256, maxNumBatchedTokens: 64, maxNumSeqs: 4, enableChunkedPrefill: false },
      plainSteps,
    )
    engine.submit({ id: 'a', promptTokens: 64, outputTokens: 5, maxTokens: 5 }, 0)
    engine.submit({ id: 'b', promptTokens: 64, outputTokens: 1 }, 10)
    engine.advanceTo(3_500)
    expect(engine.stats()).toMatchObject({ running: 1, waiting: 1 })
    engine.advanceTo(1e6)
    expect(engine.unfinished).toBe(0)
  })
})
