import { dumpsCompact, type Json } from '../python/dumps.ts'
import { parsePythonJson } from '../python/json-scanner.ts'
import { isDict, isInt, isList, type PyDict, type PyValue } from '../python/value.ts'

/** Files of a model's folder, as they are. */
export interface TokenizerTexts {
  readonly tokenizerConfig: string | undefined
  readonly tokenizer: string | undefined
  readonly chatTemplate: string | undefined
  readonly path: string
}

/** What `/tokenizer_info` answers: the tokenizer's arguments as transformers holds them. Undefined: there is no configuration. */
// follows TokenizerInfo in vllm/entrypoints/serve/tokenize/serving.py
export function tokenizerInfoOf({
  tokenizerConfig,
  tokenizer,
  chatTemplate,
  path,
}: TokenizerTexts): string | undefined {
  const config = dictOf(tokenizerConfig)
  if (!config) return undefined
  const given = [...config].filter(([key]) => key !== 'tokenizer_class' && key !== 'chat_template')
  const info = new Map<string, PyValue>([
    ['tokenizer_class', 'TokenizerPoolCachedTokenizersBackend'],
    ...given.map(([key, value]): [string, PyValue] => [key, contentOf(value)]),
    ...(chatTemplate === undefined ? [] : ([['chat_template', chatTemplate]] as const)),
    ['truncation_side', 'left'],
    ['name_or_path', path],
    ['is_local', true],
    ['local_files_only', true],
    ['added_tokens_decoder', addedTokens(dictOf(tokenizer))],
  ])
  return dumpsCompact(info as unknown as Json)
}

function dictOf(text: string | undefined): PyDict | undefined {
  const value = text === undefined ? undefined : parsePythonJson(text)
  return isDict(value) ? value : undefined
}

function addedTokens(tokenizer: PyDict | undefined): PyDict {
  const added = tokenizer?.get('added_tokens')
  const tokens = isList(added) ? added.filter(isDict) : []
  return new Map(
    tokens.flatMap((token): [string, PyValue][] => {
      const id = token.get('id')
      return isInt(id) ? [[String(id), token.get('content') ?? '']] : []
    }),
  )
}

/** Added tokens with options stand for their text. */
function contentOf(value: PyValue): PyValue {
  if (isDict(value)) return value.get('content') ?? new Map([...value].map(([key, item]) => [key, contentOf(item)]))
  return isList(value) ? value.map(contentOf) : value
}
