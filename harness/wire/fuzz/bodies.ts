import type { RandomStream } from '../../../sandbox/world/random.ts'

type Json = unknown

const pick = <T>(random: RandomStream, of: readonly T[]): T => of[random.int(of.length)]!

/** Values that programs trip over. */
const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e30,
  -(2 ** 63),
  2 ** 53,
  '',
  ' ',
  '5',
  'x'.repeat(3_000),
  '\u0000',
  '\ud800',
  '日本語 😀',
  '</s><|assistant|>',
  '{{ 1/0 }}',
  [],
  [[]],
  [null],
  {},
  { a: {} },
  [1, 'a', null],
]

const TOOL = {
  type: 'function',
  function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'integer' } } } },
}

/** Fields with values that are often right. */
const FIELDS: Readonly<Record<string, readonly Json[]>> = {
  model: ['tiny-llama', 'nope', ''],
  max_tokens: [1, 2, 5, 0],
  temperature: [0, 0.5, 1, 3],
  top_p: [0.5, 1, 0],
  n: [1, 2, 3],
  seed: [1, -1],
  stop: ['a', ['a', 'b'], ''],
  stream: [true, false],
  stream_options: [{ include_usage: true }, { include_usage: true, continuous_usage_stats: true }, {}],
  logprobs: [true, 1, 5],
  top_logprobs: [0, 2, 21],
  echo: [true],
  min_tokens: [1, 9],
  ignore_eos: [true],
  logit_bias: [{ 5: 1 }, { 99999: 1 }],
  response_format: [
    { type: 'json_object' },
    { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' } } },
  ],
  structured_outputs: [
    { choice: ['yes', 'no'] },
    { regex: '[ab]{1,3}' },
    { regex: '(' },
    { json: { type: 'integer' } },
  ],
  tools: [[TOOL], []],
  tool_choice: ['auto', 'none', 'required', { type: 'function', function: { name: 'f' } }],
  prompt_logprobs: [0, 1],
  truncate_prompt_tokens: [1, -1],
  add_generation_prompt: [false],
  continue_final_message: [true],
  return_token_ids: [true],
  priority: [1],
  cache_salt: ['s'],
  stop_token_ids: [[5]],
  bad_words: [['a']],
  allowed_token_ids: [[5, 6]],
}

const MESSAGES: readonly Json[] = [
  [{ role: 'user', content: 'Hello' }],
  [
    { role: 'system', content: 'S' },
    { role: 'user', content: [{ type: 'text', text: 'a' }] },
  ],
  [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
  ],
  [],
]
const PROMPTS: readonly Json[] = ['Hello', ['a', 'b'], [1, 2, 3], [[1], [2]], '']

/** A body for a path: often right, often with something odd in it. */
export function fuzzedBody(path: string, random: RandomStream): string {
  const body: Record<string, Json> = /completions|messages$/.test(path) ? { max_tokens: 1 + random.int(4) } : {}
  if (path.includes('/messages')) body['model'] = 'tiny-llama'
  if (/chat|messages/.test(path)) body['messages'] = pick(random, MESSAGES)
  else if (path === '/detokenize') body['tokens'] = [300, 301]
  else if (path === '/v1/responses') body['input'] = 'Hello'
  else body['prompt'] = pick(random, PROMPTS)
  const names = Object.keys(FIELDS)
  for (let i = random.int(4); i > 0; i--) {
    const name = pick(random, names)
    body[name] = pick(random, FIELDS[name]!)
  }
  for (let i = Math.max(0, random.int(5) - 2); i > 0; i--) {
    const keys = Object.keys(body)
    body[pick(random, [...keys, ...names])] = pick(random, ODD)
  }
  if (random.int(12) === 0) body[pick(random, ['messages', 'prompt', 'x'])] = nested(random.int(400))
  return broken(JSON.stringify(body), random)
}

const nested = (depth: number): Json => {
  let value: Json = 'x'
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { content: value }
  return value
}

/** Mostly as it is; sometimes no JSON. */
function broken(text: string, random: RandomStream): string {
  const at = random.int(text.length + 1)
  switch (random.int(20)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + pick(random, ['"', ',', '}', '\\', '\u0001', 'NaN', '\ufeff', '[']) + text.slice(at)
    case 2:
      return text.replace(
        /:(\d+)/,
        pick(random, [':1e999', ':-Infinity', ':NaN', ':00', ':1.0', `:${'9'.repeat(400)}`]),
      )
    default:
      return text
  }
}
