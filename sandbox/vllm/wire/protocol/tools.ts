import { dict, list, nullable, union } from '../pydantic/containers.ts'
import { bool } from '../pydantic/numbers.ts'
import { model, required, withDefault } from '../pydantic/records.ts'
import { anything, literal, str } from '../pydantic/scalars.ts'
import { isDict, type PyDict, type PyValue } from '../python/value.ts'
import type { ToolParam } from './generate.ts'
import { Reader } from './reader.ts'

const functionType = withDefault(literal('function'), 'function')

const functionDefinition = model('FunctionDefinition', {
  name: required(str()),
  description: withDefault(nullable(str()), null),
  parameters: withDefault(nullable(dict(anything)), null),
  strict: withDefault(nullable(bool), null),
  defer_loading: withDefault(nullable(bool), null),
})

/** Functions a model may call. */
// follows ChatCompletionToolsParam of vllm/entrypoints/openai/chat_completion/protocol.py
export const toolList = list(
  model('ChatCompletionToolsParam', {
    type: functionType,
    function: required(functionDefinition),
    defer_loading: withDefault(nullable(bool), null),
  }),
)

/** Whether a function must be called, or which. */
export const toolChoice = union(
  literal('none'),
  literal('auto'),
  literal('required'),
  model('ChatCompletionNamedToolChoiceParam', {
    function: required(model('ChatCompletionNamedFunction', { name: required(str()) })),
    type: functionType,
  }),
)

export function readTool(tool: PyDict): ToolParam {
  const definition = tool.get('function') as PyDict
  const fields = new Reader(definition)
  const dumped = new Map<string, PyValue>([
    ['name', fields.text('name') ?? ''],
    ['description', fields.text('description') ?? null],
    ['parameters', fields.dict('parameters') ?? null],
  ])
  const strict = fields.flag('strict')
  if (strict !== undefined) dumped.set('strict', strict)
  const deferred = fields.flag('defer_loading') ?? new Reader(tool).flag('defer_loading')
  if (deferred !== undefined) dumped.set('defer_loading', deferred)
  return {
    name: fields.text('name') ?? '',
    description: fields.text('description'),
    parameters: fields.dict('parameters'),
    strict,
    dict: new Map<string, PyValue>([
      ['type', 'function'],
      ['function', dumped],
    ]),
  }
}

export function readToolChoice(
  value: PyValue | undefined,
): 'none' | 'auto' | 'required' | { name: string } | undefined {
  if (value === 'none' || value === 'auto' || value === 'required') return value
  if (!isDict(value)) return undefined
  const named = value.get('function')
  return { name: (isDict(named) ? new Reader(named).text('name') : undefined) ?? '' }
}
