import { requireJson } from '../protocol/parse-body.ts'
import { isInt, type PyValue } from '../python/value.ts'
import { json } from '../router/answers.ts'
import type { Route } from '../router/route.ts'
import { httpException, readJsonObject } from './query.ts'

/** Scaling data parallelism while the server runs: no server here was started for it. */
// follows vllm/entrypoints/serve/elastic_ep/api_router.py
export const elasticRoutes: readonly Route[] = [
  {
    path: '/scale_elastic_ep',
    methods: ['POST'],
    handler: () => (request) => {
      requireJson(request)
      const body = readJsonObject(request, () => 'Invalid JSON format')
      const size = body.get('new_data_parallel_size') ?? null
      if (size === null) throw httpException(400, 'new_data_parallel_size is required')
      if (!isPositive(size)) throw httpException(400, 'new_data_parallel_size must be a positive integer')
      const timeout = body.get('drain_timeout') ?? 120
      if (!isPositive(timeout)) throw httpException(400, 'drain_timeout must be a positive integer')
      throw httpException(500, 'Scale failed')
    },
  },
  {
    path: '/is_scaling_elastic_ep',
    methods: ['POST'],
    handler: () => (_request, reply) => {
      reply.whole(json({ is_scaling_elastic_ep: false }))
      return undefined
    },
  },
]

/** A bool is an int to Python: `True` is 1. */
const isPositive = (value: PyValue): boolean => value === true || (isInt(value) && value > 0)
