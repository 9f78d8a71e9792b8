import type { Reply } from '../http.ts'
import { empty, json } from '../router/answers.ts'
import type { Route } from '../router/route.ts'
import type { Serving } from '../serving.ts'

/** A handler that answers at once and without the request. */
const says = (answer: (serving: Serving) => Parameters<Reply['whole']>[0]): Route['handler'] => {
  return (serving) => (_request, reply) => {
    reply.whole(answer(serving))
    return undefined
  }
}

const health = says(({ engineState }) => empty(engineState === 'dead' ? 503 : 200))

/** Whether it lives, which version it is, and how much it is asked. */
// follows vllm/entrypoints/serve/instrumentator/{basic,health}.py and vllm/entrypoints/serve/sagemaker/api_router.py
export const basicRoutes: readonly Route[] = [
  { path: '/load', methods: ['GET'], handler: says(({ load }) => json({ server_load: load.requests })) },
  { path: '/version', methods: ['GET'], handler: says(({ flags }) => json({ version: flags.version })) },
  // KV events are published only where --kv-events-config says so
  { path: '/kv_event_sources', methods: ['GET'], handler: says(() => json({})) },
  { path: '/health', methods: ['GET'], handler: health },
  { path: '/ping', methods: ['GET'], handler: health },
  { path: '/ping', methods: ['POST'], handler: health },
]
