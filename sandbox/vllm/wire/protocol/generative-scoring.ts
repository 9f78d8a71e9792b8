import { list, nullable, union } from '../pydantic/containers.ts'
import { bool, int, int64 } from '../pydantic/numbers.ts'
import { model, required, withDefault } from '../pydantic/records.ts'
import { str } from '../pydantic/scalars.ts'
import type { PyInt } from '../python/value.ts'
import { checkCacheSalt, looks } from './before.ts'
import type { Prompt } from './completion.ts'
import { requestModel } from './parse-body.ts'
import { Reader } from './reader.ts'

/** `POST /generative_scoring`, validated. */
// follows GenerativeScoringRequest in vllm/entrypoints/generate/generative_scoring/serving.py
export interface GenerativeScoringRequest {
  readonly model: string | undefined
  readonly query: Prompt
  readonly items: readonly Prompt[]
  readonly labelTokenIds: readonly PyInt[]
  readonly applySoftmax: boolean
  readonly itemFirst: boolean
  readonly addSpecialTokens: boolean
  readonly cacheSalt: string | undefined
  readonly priority: PyInt
  readonly requestId: string | undefined
}

const ids = list(int())

const schema = model(
  'GenerativeScoringRequest',
  {
    model: withDefault(nullable(str()), null),
    query: required(union(str(), ids)),
    items: required(union(list(str()), list(ids))),
    label_token_ids: required(ids),
    apply_softmax: withDefault(bool, true),
    item_first: withDefault(bool, false),
    add_special_tokens: withDefault(bool, true),
    cache_salt: withDefault(nullable(str()), null),
    priority: withDefault(int64, 0),
    request_id: { schema: str(), optional: true },
  },
  { before: looks(checkCacheSalt) },
)

export const generativeScoringRequest = requestModel(
  'GenerativeScoringRequest',
  schema,
  (fields): GenerativeScoringRequest => {
    const read = new Reader(fields)
    return {
      model: read.text('model'),
      query: read.text('query') ?? read.ints('query')!,
      items: read.list('items') as readonly Prompt[],
      labelTokenIds: read.ints('label_token_ids')!,
      applySoftmax: read.flag('apply_softmax')!,
      itemFirst: read.flag('item_first')!,
      addSpecialTokens: read.flag('add_special_tokens')!,
      cacheSalt: read.text('cache_salt'),
      priority: read.int('priority')!,
      requestId: read.text('request_id'),
    }
  },
)
