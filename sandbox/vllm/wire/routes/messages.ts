import { answerMessages, countTokens } from '../answers/messages/answer.ts'
import { countTokensRequest, messagesRequest } from '../protocol/anthropic.ts'
import { parseBody } from '../protocol/parse-body.ts'
import type { Route } from '../router/route.ts'

// follows vllm/entrypoints/anthropic/api_router.py
export const messagesRoutes: readonly Route[] = [
  {
    path: '/v1/messages',
    methods: ['POST'],
    counted: true,
    handler: (serving) => (request, reply) =>
      answerMessages(parseBody(request, messagesRequest), request, reply, serving),
  },
  {
    path: '/v1/messages/count_tokens',
    methods: ['POST'],
    counted: true,
    handler: (serving) => (request, reply) => {
      countTokens(parseBody(request, countTokensRequest), reply, serving)
      return undefined
    },
  },
]
