import type { RandomStream } from '../../../sandbox/world/random.ts'
import { randomStream } from '../../../sandbox/world/random.ts'
import type { Us } from '../../../sandbox/world/time.ts'
import { type Planned, schedule } from '../schedule.ts'
import type { Workload } from '../workload.ts'
import type { PromptMaker } from './prompt.ts'
import type { PreparedRequest } from './sender.ts'

/** A route of the OpenAI API that answers with generated text. */
export type Endpoint = 'chat' | 'completions'

export const ENDPOINT_PATHS: Readonly<Record<Endpoint, string>> = {
  chat: '/v1/chat/completions',
  completions: '/v1/completions',
}

/** The schedule of a load: of a workload, a seed, and the server's name in its platform. The same for every sender. */
export function scheduled(
  workload: Workload,
  { seed, server, untilUs }: { seed: number; server: string; untilUs: Us },
): Generator<Planned, void> {
  const streams = (stream: string): RandomStream => randomStream(seed, `load/${server}/${stream}`)
  return until(schedule(workload, 0, streams), untilUs)
}

function* until(plan: Generator<Planned, void>, untilUs: Us): Generator<Planned, void> {
  for (const planned of plan) {
    if (planned.at >= untilUs) return
    yield planned
  }
}

/** The requests of a schedule with their bodies, each made when it is asked for. */
export function* prepared(
  plan: Iterable<Planned>,
  options: BodyOptions & { readonly prompts: PromptMaker },
): Generator<PreparedRequest, void> {
  let number = 0
  for (const planned of plan) {
    yield { number, planned, body: bodyOf(planned, options.prompts.textOf(planned, number), options) }
    number++
  }
}

/** What all bodies of a load have in common. */
export interface BodyOptions {
  readonly model: string
  readonly endpoint: Endpoint
  /** Answers may end before their planned length, where the model ends them. Default: they are exactly as long. */
  readonly naturalEnds?: boolean
}

/** Streamed, with usage at the end. `ignore_eos` is vLLM's (SGLang and others have it too): not every server takes it. */
export function bodyOf(
  { outputTokens, priority }: Pick<Planned, 'outputTokens' | 'priority'>,
  text: string,
  { model, endpoint, naturalEnds = false }: BodyOptions,
): string {
  return JSON.stringify({
    model,
    ...(endpoint === 'chat' ? { messages: [{ role: 'user', content: text }] } : { prompt: text }),
    max_tokens: outputTokens,
    ...(naturalEnds ? {} : { ignore_eos: true }),
    stream: true,
    stream_options: { include_usage: true },
    ...(priority === undefined ? {} : { priority }),
  })
}
