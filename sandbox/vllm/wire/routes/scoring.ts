import { answerScoring } from '../answers/scoring/answer.ts'
import { generativeScoringRequest } from '../protocol/generative-scoring.ts'
import { parseBody } from '../protocol/parse-body.ts'
import type { Route } from '../router/route.ts'

// follows vllm/entrypoints/generate/generative_scoring/api_router.py
export const scoringRoutes: readonly Route[] = [
  {
    path: '/generative_scoring',
    methods: ['POST'],
    counted: true,
    handler: (serving) => (request, reply) =>
      answerScoring(parseBody(request, generativeScoringRequest), request, reply, serving),
  },
]
