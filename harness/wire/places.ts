import { join } from 'node:path'
import type { Recording } from './compare/recording.ts'
import type { Places } from './recordings.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/vllm')

/** The model’s files other than its weights: enough for a server that makes up its text. */
export const TINY_LLAMA = join(FIXTURES, 'tiny-llama')
export const TINY_LORA = join(FIXTURES, 'tiny-lora')

/** `/models/…` of recordings, where the folders of this repository are. */
export const places: Places = placesOf(TINY_LLAMA, TINY_LORA)

/** The same for a model elsewhere: one with weights. */
export function placesOf(model: string, lora: string): Places {
  return (text) => text.replaceAll('/models/tiny-llama', model).replaceAll('/models/tiny-lora', lora)
}

/** Recordings whose server had its model in a folder that they tell, as if it were in `model`. */
export function moved(recordings: readonly Recording[], model: string): Recording[] {
  const root = recordings
    .map(({ answer }) => /"object":"list","data":\[\{.*?"root":"([^"]+)"/.exec(answer.body ?? '')?.[1])
    .find((path) => path !== undefined)
  if (root === undefined) return [...recordings]
  return recordings.map((recording) => {
    const { request, answer } = recording
    return {
      ...recording,
      request: typeof request.body === 'string' ? { ...request, body: request.body.replaceAll(root, model) } : request,
      answer: answer.body === undefined ? answer : { ...answer, body: answer.body.replaceAll(root, model) },
    }
  })
}
