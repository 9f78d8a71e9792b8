import { gpus } from '../../../../fixtures/gpus/index.ts'
import { models } from '../../../../fixtures/models/index.ts'
import { VirtualClock } from '../../../world/clock.ts'
import { EngineHost } from '../../engine/engine-host.ts'
import { rooflineStepModel } from '../../engine/step-time.ts'
import type { EngineDriver } from '../../engine/types.ts'
import type { WireError } from '../errors.ts'
import {
  type GenerationObserver,
  type GenerationRequest,
  type GenerationTimes,
  plainSampling,
  type SamplingParams,
  type SequenceOutput,
} from '../generation.ts'
import type { WireTokenizer } from '../serving.ts'
import { builtInChatOf } from '../template/built-in.ts'
import { estimatedTokenizer } from '../tokenizer/estimated-tokenizer.ts'
import { EngineGenerator } from './engine-generator.ts'

export const plainParams: SamplingParams = { ...plainSampling, temperature: 0, maxTokens: 200 }

/** What an observer was told of one request. */
export interface Heard {
  readonly began: Parameters<NonNullable<GenerationObserver['began']>>[0][]
  readonly outputs: (SequenceOutput & { readonly at: number })[]
  readonly ended: GenerationTimes[]
  readonly failed: WireError[]
}

export const textOf = ({ outputs }: Heard, index = 0): string =>
  outputs
    .filter((output) => output.index === index)
    .map(({ text }) => text)
    .join('')

export const idsOf = ({ outputs }: Heard, index = 0): number[] =>
  outputs.filter((output) => output.index === index).flatMap(({ tokenIds }) => tokenIds)

export const finishOf = ({ outputs }: Heard, index = 0) => outputs.findLast((output) => output.index === index)?.finish

/** Another tokenizer for each test: estimates learn. */
export const someTokenizer = (): WireTokenizer => estimatedTokenizer({ ...builtInChatOf('qwen'), vocabSize: 151_936 })

export interface KitOptions {
  readonly tokenizer?: WireTokenizer
  readonly endless?: boolean
  readonly driver?: EngineDriver
}

/** An engine on a virtual clock, and a generator over it. */
export function generatorKit({ tokenizer = someTokenizer(), endless = false, driver = 'leap' }: KitOptions = {}) {
  const clock = new VirtualClock()
  const config = { numGpuBlocks: 4096, maxModelLen: 8192 }
  const host = new EngineHost(clock, config, rooflineStepModel({ gpu: gpus[0]!, model: models[0]! }), driver)
  const generator = new EngineGenerator({
    clock,
    engines: [host],
    leastLoaded: () => host,
    tokenizer,
    model: 'some-model',
    endless,
  })
  let count = 0
  const ask = (prompt: string, params: Partial<SamplingParams> = {}, more: Partial<GenerationRequest> = {}) => {
    const heard: Heard = { began: [], outputs: [], ended: [], failed: [] }
    const request: GenerationRequest = {
      id: `r${count++}`,
      promptTokenIds: tokenizer.encode(prompt, { addSpecialTokens: true }),
      params: { ...plainParams, ...params },
      priority: 0,
      ...more,
    }
    const leave = generator.generate(request, {
      began: (about) => heard.began.push(about),
      output: (output, at) => heard.outputs.push({ ...output, at }),
      ended: (times) => heard.ended.push(times),
      failed: (error) => heard.failed.push(error),
    })
    return { heard, leave, request }
  }
  /** The same, run to its end. */
  const answer = (prompt: string, params: Partial<SamplingParams> = {}, more: Partial<GenerationRequest> = {}) => {
    const { heard } = ask(prompt, params, more)
    clock.runUntil(clock.now + 600e6)
    return heard
  }
  return { clock, host, generator, tokenizer, ask, answer }
}
