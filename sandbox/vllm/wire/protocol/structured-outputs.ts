import { badRequest } from '../errors.ts'
import { dict, list, nullable, union } from '../pydantic/containers.ts'
import { bool } from '../pydantic/numbers.ts'
import { dataclass, withDefault } from '../pydantic/records.ts'
import { anything, str } from '../pydantic/scalars.ts'
import { dumps, type Json } from '../python/dumps.ts'
import { pyRepr } from '../python/text.ts'
import type { PyDict, PyValue } from '../python/value.ts'
import type { ResponseFormat, StructuredOutputsParams } from './generate.ts'
import { Reader } from './reader.ts'

const text = withDefault(nullable(str()), null)

/** Constraints of the output, of which exactly one may be given. */
// follows StructuredOutputsParams of vllm/sampling_params.py
export const structuredOutputs = dataclass(
  'StructuredOutputsParams',
  {
    json: withDefault(nullable(union(str(), dict(anything))), null),
    regex: text,
    choice: withDefault(nullable(list(str())), null),
    grammar: text,
    json_object: withDefault(nullable(bool), null),
    disable_any_whitespace: withDefault(bool, false),
    disable_additional_properties: withDefault(bool, false),
    whitespace_pattern: text,
    structural_tag: text,
  },
  checkOne,
)

const CONSTRAINTS = ['json', 'regex', 'choice', 'grammar', 'json_object', 'structural_tag']

function checkOne(self: PyDict): void {
  const count = CONSTRAINTS.filter((key) => self.get(key) !== null).length
  if (count === 1) return
  const shown = pyRepr(new Map<string, PyValue>([...self, ['_backend', null], ['_backend_was_auto', false]]))
  throw badRequest(
    count > 1
      ? `You can only use one kind of structured outputs constraint but multiple are specified: ${shown}`
      : `You must use one kind of structured outputs constraint but none are specified: ${shown}`,
  )
}

/** The constraints of a request, with those of its response format on top. Throws where both are given. */
// follows structured_outputs_from_response_format of vllm/entrypoints/generate/base/protocol.py
export function constraintsOf(
  given: PyDict | undefined,
  format: ResponseFormat | undefined,
): StructuredOutputsParams | undefined {
  if (format === undefined || format.type === 'text') return given && read(given)
  const self = new Map(given ?? NONE)
  if (format.type === 'json_object') self.set('json_object', true)
  else if (format.type === 'json_schema') self.set('json', format.schema ?? null)
  else self.set('structural_tag', dumps(format.dict as Json))
  checkOne(self)
  return read(self)
}

const NONE: readonly (readonly [string, PyValue])[] = [
  ['json', null],
  ['regex', null],
  ['choice', null],
  ['grammar', null],
  ['json_object', null],
  ['disable_any_whitespace', false],
  ['disable_additional_properties', false],
  ['whitespace_pattern', null],
  ['structural_tag', null],
]

function read(self: PyDict): StructuredOutputsParams {
  const fields = new Reader(self)
  return {
    json: fields.text('json') ?? fields.dict('json'),
    regex: fields.text('regex'),
    choice: fields.texts('choice'),
    grammar: fields.text('grammar'),
    jsonObject: fields.flag('json_object'),
    disableAnyWhitespace: fields.flag('disable_any_whitespace') ?? false,
    disableAdditionalProperties: fields.flag('disable_additional_properties') ?? false,
    whitespacePattern: fields.text('whitespace_pattern'),
    structuralTag: fields.text('structural_tag'),
  }
}
