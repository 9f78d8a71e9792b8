import type { PyDict, PyInt, PyValue } from '../python/value.ts'

export interface ToolParam {
  readonly name: string
  readonly description: string | undefined
  readonly parameters: PyDict | undefined
  readonly strict: boolean | undefined
  /** As a template sees it: `{"type":"function","function":{…}}`. */
  readonly dict: PyDict
}

export interface StreamOptions {
  readonly includeUsage: boolean
  readonly continuousUsageStats: boolean
}

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: PyDict | undefined }
  | { readonly type: 'structural_tag'; readonly dict: PyDict }

/** Constraints as the request names them; checked to be exactly one. */
// follows StructuredOutputsParams of vllm/sampling_params.py
export interface StructuredOutputsParams {
  readonly json: string | PyDict | undefined
  readonly regex: string | undefined
  readonly choice: readonly string[] | undefined
  readonly grammar: string | undefined
  readonly jsonObject: boolean | undefined
  readonly disableAnyWhitespace: boolean
  readonly disableAdditionalProperties: boolean
  readonly whitespacePattern: string | undefined
  readonly structuralTag: string | undefined
}

/** What chat and completion requests share. Floats are numbers; ints that may be beyond 2^53 are `PyInt`. */
export interface GenerateRequest {
  readonly model: string | undefined
  readonly stream: boolean
  readonly streamOptions: StreamOptions | undefined
  readonly n: PyInt | undefined
  readonly seed: PyInt | undefined
  readonly stop: readonly string[]
  readonly temperature: number | undefined
  readonly topP: number | undefined
  readonly topK: PyInt | undefined
  readonly minP: number | undefined
  readonly frequencyPenalty: number | undefined
  readonly presencePenalty: number | undefined
  readonly repetitionPenalty: number | undefined
  /** Keys as sent. */
  readonly logitBias: ReadonlyMap<string, number> | undefined
  readonly useBeamSearch: boolean
  readonly stopTokenIds: readonly PyInt[]
  readonly includeStopStrInOutput: boolean
  readonly ignoreEos: boolean
  readonly minTokens: PyInt
  readonly skipSpecialTokens: boolean
  readonly spacesBetweenSpecialTokens: boolean
  readonly truncatePromptTokens: PyInt | undefined
  readonly truncationSide: 'left' | 'right' | undefined
  readonly promptLogprobs: PyInt | undefined
  readonly logprobTokenIds: readonly PyInt[] | undefined
  readonly allowedTokenIds: readonly PyInt[] | undefined
  readonly badWords: readonly string[]
  readonly echo: boolean
  readonly addSpecialTokens: boolean
  readonly responseFormat: ResponseFormat | undefined
  /** As sent, with defaults. `checks` put it together with the response format. */
  readonly structuredOutputs: PyDict | undefined
  readonly thinkingTokenBudget: PyInt | undefined
  readonly priority: PyInt
  /** Undefined: the server makes one. */
  readonly requestId: string | undefined
  /** Undefined: as the flag of the server says. */
  readonly returnTokensAsTokenIds: boolean | undefined
  readonly returnTokenIds: boolean
  readonly cacheSalt: string | undefined
  readonly vllmXargs: PyDict | undefined
  readonly kvTransferParams: PyDict | undefined
  readonly ecTransferParams: PyDict | undefined
  readonly streamInterval: PyInt | undefined
  /** Fields by the names of the body, validated, in their order. */
  readonly fields: ReadonlyMap<string, PyValue>
}
