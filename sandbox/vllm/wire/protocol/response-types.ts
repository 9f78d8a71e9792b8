import { describedResponses } from '../../../../fixtures/vllm/request-models/index.ts'
import { DescribedTypes } from '../pydantic/described.ts'
import { Invalid, type Schema, State } from '../pydantic/outcome.ts'
import { before } from '../pydantic/scalars.ts'
import { isDict, isList, type PyDict, type PyValue } from '../python/value.ts'
import { structuredOutputs } from './structured-outputs.ts'

let types: DescribedTypes | undefined

/** Types of OpenAI's Responses API, with vLLM's own validators. */
// follows vllm/entrypoints/openai/responses/protocol.py
export function responseTypes(): DescribedTypes {
  types ??= new DescribedTypes(describedResponses(), {
    StructuredOutputsParams: () => structuredOutputs,
    '<lambda>': (inner) => before((value) => value ?? 0, inner),
    _default_input_image_details: (inner) => inputItem(before(withImageDetails, inner)),
  })
  return types
}

/** Items that vLLM reads before pydantic does are taken as they are, when they can be read. */
// follows input_item_parsing
function inputItem(inner: Schema): Schema {
  return {
    name: inner.name,
    check: (input, state) => {
      const [name, completed] = isDict(input) ? readAs(input) : []
      if (name !== undefined && !(responseTypes().named(name).check(completed, new State()) instanceof Invalid))
        return input
      return inner.check(name === 'ResponseReasoningItem' ? completed : input, state)
    },
  }
}

type Reading = readonly [name: string, completed: PyDict] | readonly [undefined?, PyValue?]

function readAs(item: PyDict): Reading {
  const type = item.get('type')
  if (type === 'function_call') return ['ResponseFunctionToolCall', item]
  if (type === 'reasoning') return ['ResponseReasoningItem', withDefaults(item, { id: 'rs_' })]
  const content = item.get('content')
  if (type !== 'message' || item.get('role') !== 'assistant' || !isList(content)) return []
  const parts = content.map((part) =>
    isDict(part) && part.get('type') === 'output_text' ? withDefaults(part, { annotations: [] }) : part,
  )
  const completed = withDefaults(item, { id: 'msg_', status: 'completed' })
  return ['ResponseOutputMessage', new Map([...completed, ['content', parts]])]
}

const withDefaults = (item: PyDict, defaults: Readonly<Record<string, PyValue>>): PyDict =>
  new Map([...Object.entries(defaults), ...item])

function withImageDetails(value: PyValue): PyValue {
  const content = isDict(value) ? value.get('content') : undefined
  if (!isDict(value) || !isList(content)) return value
  const parts = content.map((part) =>
    isDict(part) && part.get('type') === 'input_image' && !part.has('detail')
      ? new Map<string, PyValue>([...part, ['detail', 'auto']])
      : part,
  )
  return new Map([...value, ['content', parts]])
}
