import { WireError } from '../errors.ts'
import { checkCacheSalt, looks } from '../protocol/before.ts'
import { parseBody, requestModel } from '../protocol/parse-body.ts'
import { dict, list, nullable } from '../pydantic/containers.ts'
import { int64 } from '../pydantic/numbers.ts'
import { model, required, withDefault } from '../pydantic/records.ts'
import { anything, str } from '../pydantic/scalars.ts'
import type { Route } from '../router/route.ts'

const question = model('QuestionSpec', {
  type: required(str()),
  instructions: withDefault(anything, ''),
  criteria: withDefault(anything, null),
})

const urls = withDefault(nullable(list(str())), null)

const decisionRequest = requestModel(
  'StructuredDecisionRequest',
  model(
    'StructuredDecisionRequest',
    {
      model: withDefault(nullable(str()), null),
      state: required(anything),
      questions: required(dict(question)),
      instructions: withDefault(nullable(str()), null),
      images: urls,
      audio: urls,
      videos: urls,
      chat_template_kwargs: withDefault(nullable(dict(anything)), null),
      cache_salt: withDefault(nullable(str()), null),
      priority: withDefault(int64, 0),
      request_id: { schema: str(), optional: true },
    },
    { before: looks(checkCacheSalt) },
  ),
  (fields) => fields,
)

/**
 * Questions answered by the probabilities of labels. Upstream has it for six architectures; all models are answered here as those that are
 * none of them.
 */
// follows vllm/entrypoints/generate/structured_decisions/{api_router,protocol}.py
export const decisionRoutes: readonly Route[] = [
  {
    path: '/v1/systemone',
    methods: ['POST'],
    counted: true,
    handler: () => (request) => {
      parseBody(request, decisionRequest)
      throw new WireError(501, 'NotImplementedError', 'The model does not support the structured decision API')
    },
  },
]
