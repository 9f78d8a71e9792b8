import type { RandomStream } from '../../../world/random.ts'
import { json } from '../router/answers.ts'
import { uuid4Hex } from '../router/app.ts'
import type { Route } from '../router/route.ts'
import type { Serving } from '../serving.ts'

/** The models there are: one card for each name, then the LoRA adapters. */
// follows vllm/entrypoints/openai/models/{api_router,serving,protocol}.py
export const modelRoutes: readonly Route[] = [
  {
    path: '/v1/models',
    methods: ['GET'],
    handler: (serving) => (_request, reply) => {
      reply.whole(json({ object: 'list', data: cards(serving) }))
      return undefined
    },
  },
]

function cards(serving: Serving): unknown[] {
  const { model, random } = serving
  const created = serving.unixSeconds()
  const card = (id: string, root: string, parent: string | null, maxModelLen: number | null) => ({
    id,
    object: 'model',
    created,
    owned_by: 'vllm',
    root,
    parent,
    max_model_len: maxModelLen,
    permission: [permission(random, created)],
  })
  return [
    ...model.names.map((name) => card(name, model.root, null, model.maxModelLen)),
    ...[...model.loras.values()].map(({ name, path }) => card(name, path, model.names[0], null)),
  ]
}

const permission = (random: RandomStream, created: number) => ({
  id: `modelperm-${shortUuid(random)}`,
  object: 'model_permission',
  created,
  allow_create_engine: false,
  allow_sampling: true,
  allow_logprobs: true,
  allow_search_indices: false,
  allow_view: true,
  allow_fine_tuning: false,
  organization: '*',
  group: null,
  is_blocking: false,
})

/** vLLM's `random_uuid`: 16 hexadecimal digits. */
const shortUuid = (random: RandomStream): string => uuid4Hex(random).slice(16)
