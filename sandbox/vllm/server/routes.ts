import type { PortAnswer } from '../../nodes/program.ts'
import { ms, type Us } from '../../world/time.ts'

/** Paths that answer a GET with 200, and those that only take POST. */
export const GET_PATHS: ReadonlySet<string> = new Set([
  '/health',
  '/metrics',
  '/v1/models',
  '/ping',
  '/version',
  '/load',
  '/openapi.json',
  '/docs',
  '/redoc',
])
export const POST_PATHS: ReadonlySet<string> = new Set([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/tokenize',
  '/detokenize',
  '/invocations',
])

/** How long the API server takes for each; a scrape renders 50 KB. */
export const ANSWER_US: Us = ms(1)
const METRICS_US: Us = ms(8)

/** The body such a GET is answered with, whatever its status; undefined where it is not known here. */
// follows vllm/entrypoints/serve/instrumentator/health.py and basic.py
export function bodyOfGet(path: string, version: string | undefined): string | undefined {
  const route = path.split('?')[0]!
  if (route === '/health' || route === '/ping') return ''
  return route === '/version' && version !== undefined ? JSON.stringify({ version }) : undefined
}

/** What a GET sees on a server that is up. `engineDead`: the engine has ended, `/health` says so. */
export function answerGet(path: string, state: { engineDead: boolean; apiKey: boolean }): PortAnswer {
  const route = path.split('?')[0]!
  const answer = (status: number, afterUs: Us = ANSWER_US): PortAnswer => ({ kind: 'answer', status, afterUs })
  // follows AuthenticationMiddleware: only /v1 is guarded
  if (state.apiKey && route.startsWith('/v1')) return answer(401)
  if (route === '/metrics') return answer(200, METRICS_US)
  if ((route === '/health' || route === '/ping') && state.engineDead) return answer(503)
  if (GET_PATHS.has(route)) return answer(200)
  return answer(POST_PATHS.has(route) ? 405 : 404)
}
