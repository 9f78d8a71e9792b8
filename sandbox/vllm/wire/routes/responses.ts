import { answerResponses, unknownResponse } from '../answers/responses/answer.ts'
import { parseBody } from '../protocol/parse-body.ts'
import { responsesRequest } from '../protocol/responses.ts'
import type { Route } from '../router/route.ts'

// follows vllm/entrypoints/openai/responses/api_router.py
export const responsesRoutes: readonly Route[] = [
  {
    path: '/v1/responses',
    methods: ['POST'],
    counted: true,
    handler: (serving) => (request, reply) =>
      answerResponses(parseBody(request, responsesRequest), request, reply, serving),
  },
  {
    path: '/v1/responses/{response_id}',
    methods: ['GET'],
    counted: true,
    handler: () => (request) => {
      throw unknownResponse(request.params['response_id'] ?? '')
    },
  },
  {
    path: '/v1/responses/{response_id}/cancel',
    methods: ['POST'],
    counted: true,
    handler: () => (request) => {
      throw unknownResponse(request.params['response_id'] ?? '')
    },
  },
]
