import { dict, list, nullable, union } from '../pydantic/containers.ts'
import { bool } from '../pydantic/numbers.ts'
import { model, required, withDefault } from '../pydantic/records.ts'
import { anything, literal, str } from '../pydantic/scalars.ts'
import { isDict, type PyDict, type PyValue } from '../python/value.ts'
import type { ResponseFormat } from './generate.ts'

const jsonSchemaFormat = model('JsonSchemaResponseFormat', {
  name: required(str()),
  description: withDefault(nullable(str()), null),
  json_schema: withDefault(nullable(dict(anything)), null, 'schema'),
  strict: withDefault(nullable(bool), null),
})

const plainFormat = model('ResponseFormat', {
  type: required(literal('text', 'json_object', 'json_schema')),
  json_schema: withDefault(nullable(jsonSchemaFormat), null),
})

const tagFormat = model('StructuralTagResponseFormat', {
  type: required(literal('structural_tag')),
  format: required(anything),
})

const legacyTag = model('LegacyStructuralTag', {
  begin: required(str()),
  structural_tag_schema: withDefault(nullable(dict(anything)), null, 'schema'),
  end: required(str()),
})

const legacyTagFormat = model('LegacyStructuralTagResponseFormat', {
  type: required(literal('structural_tag')),
  structures: required(list(legacyTag)),
  triggers: required(list(str())),
})

/** What an answer is to look like: text, JSON, JSON of a schema, or a structural tag. */
// follows AnyResponseFormat of vllm/entrypoints/generate/base/protocol.py
export const responseFormat = union(plainFormat, tagFormat, legacyTagFormat)

export const structuralTagFormat = union(legacyTagFormat, tagFormat)

export function readResponseFormat(value: PyValue): ResponseFormat | undefined {
  if (!isDict(value)) return undefined
  const type = value.get('type')
  if (type === 'text' || type === 'json_object') return { type }
  if (type === 'structural_tag') return { type, dict: value }
  const schema = value.get('json_schema')
  return { type: 'json_schema', schema: isDict(schema) ? dictOrNone(schema.get('json_schema')) : undefined }
}

const dictOrNone = (value: PyValue | undefined): PyDict | undefined => (isDict(value) ? value : undefined)
