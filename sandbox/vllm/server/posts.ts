import type { InferenceObserver, InferenceRequest, PortAnswer, PostRequest } from '../../nodes/program.ts'
import type { Timer } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'
import type { ServerSettings } from '../flags/settings.ts'
import { ANSWER_US, GET_PATHS, POST_PATHS } from './routes.ts'

/** What answers a POST. */
export interface PostContext extends Pick<ServerSettings, 'apiKeySet' | 'servedModelNames'> {
  later(delay: Us, then: () => void): Timer
  submit(request: InferenceRequest, observer: InferenceObserver, route: string): () => void
}

/** Routes that ask the engine for tokens. */
const COMPLETIONS = new Set(['/v1/completions', '/v1/chat/completions'])
/** vLLM's default of `/v1/completions`; what a chat without a limit comes to is the model's affair, and taken as this many. */
const DEFAULT_TOKENS = { '/v1/completions': 16, '/v1/chat/completions': 256 } as Readonly<Record<string, number>>
/** Letters of a prompt for each token, as a rule. */
const LETTERS_PER_TOKEN = 4

/** What a POST by a command in the pod sees on a server that is up: completions come from the engine. Returns how the caller hangs up. */
export function answerPost(
  posted: PostRequest,
  answered: (answer: PortAnswer) => void,
  context: PostContext,
): () => void {
  const asked = completionOf(posted, context)
  if (typeof asked === 'number') {
    const timer = context.later(ANSWER_US, () => answered({ kind: 'answer', status: asked, afterUs: 0 }))
    return () => timer.cancel()
  }
  const observer: InferenceObserver = {
    firstToken: () => undefined,
    finished: () => answered({ kind: 'answer', status: 200, afterUs: 0 }),
    failed: ({ kind, status }) =>
      answered(kind === 'http' && status !== undefined ? { kind: 'answer', status, afterUs: 0 } : { kind: 'refused' }),
  }
  return context.submit(asked, observer, posted.path.split('?')[0]!)
}

/** What is asked of the engine, or the status with which it is answered without. */
// follows validate_json_request in vllm/entrypoints/serve/utils/api_utils.py, and AuthenticationMiddleware: only /v1 is guarded
function completionOf({ path, headers, body }: PostRequest, context: PostContext): InferenceRequest | number {
  const route = path.split('?')[0]!
  const { apiKeySet, servedModelNames } = context
  const has = (header: RegExp) => headers.some((line) => header.test(line))
  if (apiKeySet.value && route.startsWith('/v1') && !has(/^authorization:\s*bearer\s+\S/i)) return 401
  if (!POST_PATHS.has(route)) return GET_PATHS.has(route) ? 405 : 404
  if (!has(/^content-type:\s*application\/json\s*(;|$)/i)) return 400
  const given = parsed(body)
  if (!given) return 400
  if (!COMPLETIONS.has(route)) return 200
  const text = route === '/v1/completions' ? given['prompt'] : given['messages']
  if (text === undefined) return 400
  const tokens = given['max_completion_tokens'] ?? given['max_tokens'] ?? DEFAULT_TOKENS[route]
  if (typeof tokens !== 'number' || !Number.isInteger(tokens) || tokens < 1) return 400
  const { model } = given
  return {
    id: 'posted',
    model: typeof model === 'string' && model !== '' ? model : servedModelNames.value[0]!,
    promptTokens: Math.max(1, Math.ceil(JSON.stringify(text).length / LETTERS_PER_TOKEN)),
    outputTokens: tokens,
    stream: false,
  }
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
