import { WireError } from '../errors.ts'
import { refusal } from '../router/answers.ts'
import type { Route } from '../router/route.ts'

const DISABLED = 'Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them.'

const PATHS = [
  '/v1/chat/completions/render',
  '/v1/messages/render',
  '/v1/completions/render',
  '/v1/responses/render',
  '/v1/chat/completions/derender',
  '/v1/completions/derender',
  '/inference/v1/generate',
  '/inference/v1/abort_requests',
]

/** Rendering and token-in, token-out routes, which a server has only when asked for and otherwise forbids. */
// follows vllm/entrypoints/scale_out/factories.py register_scale_out_api_routers
export const scaleOutRoutes: readonly Route[] = PATHS.map((path) => ({
  path,
  methods: ['POST'],
  handler: () => (_request, reply) => {
    reply.whole(refusal(new WireError(403, 'PermissionDeniedError', DISABLED)))
    return undefined
  },
}))
