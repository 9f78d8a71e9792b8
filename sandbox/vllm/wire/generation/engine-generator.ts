import type { Clock } from '../../../world/clock.ts'
import { ms, type Us } from '../../../world/time.ts'
import type { EngineHost } from '../../engine/engine-host.ts'
import { RequestGroup } from '../../engine/request-group.ts'
import { badRequest, WireError } from '../errors.ts'
import type { GenerationObserver, GenerationRequest, Generator } from '../generation.ts'
import type { WireTokenizer } from '../serving.ts'
import { Generation } from './generation-under-way.ts'
import { outputHashes, prefixHashes } from './prefix-hashes.ts'
import { Prose } from './prose.ts'
import { sequencesOf } from './sequences-of.ts'

/** Between the arrival of a request and the engine, as everywhere in the simulator. */
const REQUEST_US: Us = ms(2)

export interface EngineGeneratorOptions {
  readonly clock: Clock
  readonly engines: readonly EngineHost[]
  /** Where the next request goes that names no engine. */
  leastLoaded(): EngineHost
  readonly tokenizer: WireTokenizer
  /** The first served name: another model says something else. */
  readonly model: string
  /** Text that nothing constrains never ends by itself, as that of a model with random weights. Default false. */
  readonly endless?: boolean
}

/**
 * The engines behind the wire: when tokens come is theirs, which ones depends on prompt, parameters, seed and model and nothing else. At
 * temperature 0 the seed counts for nothing. Prompts that end with a canary question are answered by that; tool calls and structured outputs
 * say what they must; all others get sentences.
 */
export class EngineGenerator implements Generator {
  /** A fault: canary questions are answered wrong. */
  wrongAnswers = false
  private readonly options: EngineGeneratorOptions
  private readonly prose: Prose
  private serial = 0

  constructor(options: EngineGeneratorOptions) {
    this.options = options
    this.prose = new Prose(options.tokenizer)
  }

  generate(request: GenerationRequest, observer: GenerationObserver): () => void {
    const { clock } = this.options
    const arrivedAt = clock.now
    let generation: Generation | undefined
    const timer = clock.after(REQUEST_US, () => {
      try {
        generation = this.begin(request, observer, arrivedAt)
      } catch (error) {
        observer.failed(refusalOf(error), clock.now)
      }
    })
    return () => {
      timer.cancel()
      generation?.leave()
    }
  }

  private begin(request: GenerationRequest, observer: GenerationObserver, arrivedAt: Us): Generation {
    const { tokenizer, model, endless = false, leastLoaded, engines } = this.options
    const { params, promptTokenIds, cacheSalt, lora } = request
    const { prose, wrongAnswers } = this
    const rank = request.dataParallelRank
    const engine = (rank === undefined ? undefined : engines[rank]) ?? leastLoaded.call(this.options)
    // clients may send one id several times at once
    const id = `${request.id}-${this.serial++}`
    const generation = new Generation({ request, observer, tokenizer, prose, arrivedAt, engine })
    const sequences = sequencesOf({ request, tokenizer, prose, model, endless, wrongAnswers, owner: generation })
    const { blockSize } = engine.engine.config
    // scores of a prompt need all of it computed
    const hashes =
      params.promptLogprobs === undefined ? prefixHashes(promptTokenIds, blockSize, { cacheSalt, lora }) : undefined
    const group = params.n > 1 ? new RequestGroup(params.n) : undefined
    generation.begin(
      sequences.map(({ sequence, plan }, i) => ({
        sequence,
        asked: {
          id: params.n > 1 ? `${i}_${id}` : id,
          promptTokens: promptTokenIds.length,
          outputTokens: plan.length,
          maxTokens: params.maxTokens,
          reason: plan.finish.reason === 'length' ? 'length' : 'stop',
          priority: request.priority,
          ...(hashes && { prefixHashes: hashes }),
          ...(hashes &&
            plan.ids && { outputHashes: outputHashes(promptTokenIds, plan.ids, blockSize, { cacheSalt, lora }) }),
          ...(group && { group }),
          ...(lora !== undefined && { lora }),
        },
      })),
    )
    return generation
  }
}

/** What the engine says of a request it cannot take. */
function refusalOf(error: unknown): WireError {
  if (error instanceof WireError) return error
  if (error instanceof RangeError) return badRequest(error.message)
  throw error
}
