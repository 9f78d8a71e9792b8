import type { Route } from '../router/route.ts'
import { httpException } from './query.ts'

/** The tokenizer's configuration, where `--enable-tokenizer-info-endpoint` shows it. */
// follows vllm/entrypoints/serve/tokenize/api_router.py attach_router
export const tokenizerInfoRoutes: readonly Route[] = [
  {
    path: '/tokenizer_info',
    methods: ['GET'],
    when: ({ flags }) => flags.enableTokenizerInfoEndpoint,
    handler:
      ({ tokenizerInfo }) =>
      (_request, reply) => {
        if (tokenizerInfo === undefined)
          throw httpException(500, 'Failed to get tokenizer info: the model has no tokenizer')
        reply.whole({ status: 200, contentType: 'application/json', body: tokenizerInfo })
        return undefined
      },
  },
]
