import type { PyDict } from '../python/value.ts'
import { textsOf } from './fields.ts'
import type { GenerateRequest, StreamOptions } from './generate.ts'
import { Reader } from './reader.ts'
import { readResponseFormat } from './response-format.ts'

/** Reads what chat and completion requests share. */
export function readGenerate(fields: PyDict): GenerateRequest {
  const read = new Reader(fields)
  return {
    ...readSampling(read),
    ...readOutput(read),
    model: read.text('model'),
    stream: read.flag('stream') ?? false,
    streamOptions: readStreamOptions(read),
    truncatePromptTokens: read.int('truncate_prompt_tokens'),
    truncationSide: read.text('truncation_side') as 'left' | 'right' | undefined,
    addSpecialTokens: read.flag('add_special_tokens') ?? false,
    priority: read.int('priority') ?? 0,
    requestId: read.text('request_id'),
    cacheSalt: read.text('cache_salt'),
    vllmXargs: read.dict('vllm_xargs'),
    kvTransferParams: read.dict('kv_transfer_params'),
    ecTransferParams: read.dict('ec_transfer_params'),
    streamInterval: read.int('stream_interval'),
    fields,
  }
}

function readSampling(read: Reader) {
  return {
    n: read.int('n'),
    seed: read.int('seed'),
    temperature: read.float('temperature'),
    topP: read.float('top_p'),
    topK: read.int('top_k'),
    minP: read.float('min_p'),
    frequencyPenalty: read.float('frequency_penalty'),
    presencePenalty: read.float('presence_penalty'),
    repetitionPenalty: read.float('repetition_penalty'),
    logitBias: readLogitBias(read),
    useBeamSearch: read.flag('use_beam_search') ?? false,
    ignoreEos: read.flag('ignore_eos') ?? false,
    minTokens: read.int('min_tokens') ?? 0,
    allowedTokenIds: read.ints('allowed_token_ids'),
    badWords: read.texts('bad_words') ?? [],
    thinkingTokenBudget: read.int('thinking_token_budget'),
  }
}

function readOutput(read: Reader) {
  return {
    stop: textsOf(read.fields.get('stop')),
    stopTokenIds: read.ints('stop_token_ids') ?? [],
    includeStopStrInOutput: read.flag('include_stop_str_in_output') ?? false,
    skipSpecialTokens: read.flag('skip_special_tokens') ?? true,
    spacesBetweenSpecialTokens: read.flag('spaces_between_special_tokens') ?? true,
    promptLogprobs: read.int('prompt_logprobs'),
    logprobTokenIds: read.ints('logprob_token_ids'),
    echo: read.flag('echo') ?? false,
    responseFormat: readResponseFormat(read.fields.get('response_format') ?? null),
    structuredOutputs: read.dict('structured_outputs'),
    returnTokensAsTokenIds: read.flag('return_tokens_as_token_ids'),
    returnTokenIds: read.flag('return_token_ids') ?? false,
  }
}

function readStreamOptions(read: Reader): StreamOptions | undefined {
  const options = read.dict('stream_options')
  if (options === undefined) return undefined
  const flags = new Reader(options)
  return {
    includeUsage: flags.flag('include_usage') ?? false,
    continuousUsageStats: flags.flag('continuous_usage_stats') ?? false,
  }
}

function readLogitBias(read: Reader): ReadonlyMap<string, number> | undefined {
  const bias = read.dict('logit_bias')
  if (bias === undefined) return undefined
  const value = new Reader(bias)
  return new Map([...bias.keys()].map((key) => [key, value.float(key) ?? 0]))
}
