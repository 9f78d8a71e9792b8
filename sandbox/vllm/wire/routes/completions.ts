import { answerCompletion } from '../answers/completion/answer.ts'
import { completionRequest } from '../protocol/completion.ts'
import { parseBody } from '../protocol/parse-body.ts'
import type { Route } from '../router/route.ts'

// follows vllm/entrypoints/openai/completion/api_router.py
export const completionRoutes: readonly Route[] = [
  {
    path: '/v1/completions',
    methods: ['POST'],
    counted: true,
    handler: (serving) => (request, reply) =>
      answerCompletion(parseBody(request, completionRequest), request, reply, serving),
  },
]
