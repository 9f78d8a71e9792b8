import { answerDetokenize, answerTokenize } from '../answers/tokenize/answer.ts'
import { parseBody } from '../protocol/parse-body.ts'
import { detokenizeRequest, tokenizeRequest } from '../protocol/tokenize.ts'
import { json } from '../router/answers.ts'
import type { Route } from '../router/route.ts'

// follows vllm/entrypoints/serve/tokenize/api_router.py
export const tokenizeRoutes: readonly Route[] = [
  {
    path: '/tokenize',
    methods: ['POST'],
    handler: (serving) => (request, reply) => {
      reply.whole(json(answerTokenize(parseBody(request, tokenizeRequest), serving)))
      return undefined
    },
  },
  {
    path: '/detokenize',
    methods: ['POST'],
    handler: (serving) => (request, reply) => {
      reply.whole(json(answerDetokenize(parseBody(request, detokenizeRequest), serving)))
      return undefined
    },
  },
]
