/**
 * Everything in which two answers may differ and still count as the same. What is not named here must be equal, byte for byte or value
 * for value, in the same order.
 */
export const RELAXATIONS = {
  date: 'the `date` header is any HTTP date',
  length: '`content-length` is the length of the body that was sent, whatever the recorded body had',
  requestId: '`x-request-id` is any 32 hexadecimal digits where the request sent none',
  allow: 'methods in `allow` come in any order: upstream they are a set',
  load: 'the use of the cache in `endpoint-load-metrics` is any number: it is that of the last step before',
  ids: 'random ids keep their prefix, their 16 hexadecimal digits, and which of them are equal',
  times: 'times of the Unix epoch are any whole seconds; in one stream they are equal where the recorded ones are',
  fingerprint: 'the last eight digits of `system_fingerprint` are any',
  text: 'generated text is any text; text of the prompt that is echoed must be equal',
  tokens: 'generated token ids, their strings and bytes are any; how many there are must be equal',
  logprobs: 'log probabilities and ranks are any numbers; a map of top tokens may have one entry more or less',
  endings:
    'where the text itself decides when it ends (stop strings, structured output, tools, end of sequence) finish reason and count of tokens are any that fit',
  tools: 'which tool is called, whether the call was cut before its end, and its arguments',
  deltas: 'deltas of one form in a row count as one: an output of the engine may carry several tokens',
  choices: 'deltas of different choices of one stream may be interleaved in any way',
  durations: 'measured durations are any numbers',
  samples: 'values of metrics are any number, printed as Python prints floats',
  python: 'labels of `python_info` have any value: they are the interpreter’s, not vLLM’s',
  cacheConfig:
    'labels of `vllm:cache_config_info` that follow from the machine (its memory, its being a CPU) have any value',
  handlers: 'HTTP metrics of routes that the recorded server was asked, and this one was not, are left out',
  unkept: 'bodies too large to keep are compared by their digest',
} as const

export type Relaxation = keyof typeof RELAXATIONS
