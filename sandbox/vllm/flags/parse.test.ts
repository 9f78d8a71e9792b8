import { expect, test } from 'vitest'
import { vllmImage } from './image.ts'
import { parseCommandLine } from './parse.ts'
import { versionOf } from './version.ts'

const parse = (line: string, version = '0.32.0', form: 'serve' | 'module' = 'serve') =>
  parseCommandLine(line.split(' '), form, versionOf(vllmImage(`vllm/vllm-openai:v${version}`)))

// held against vLLM 0.32's own parser
test.each<[string, Record<string, unknown>]>([
  ['a/b -tp 2', { tensor_parallel_size: 2 }],
  ['a/b -tp=2', { tensor_parallel_size: 2 }],
  ['a/b --tensor_parallel_size 2', { tensor_parallel_size: 2 }],
  ['a/b --tensor-parallel-size=2', { tensor_parallel_size: 2 }],
  ['a/b --tensor-par 2', { tensor_parallel_size: 2 }],
  ['a/b --max-model-len 32k', { max_model_len: 32_000 }],
  ['a/b --max-model-len 32K', { max_model_len: 32_768 }],
  ['a/b --max-model-len auto', { max_model_len: -1 }],
  ['a/b --max-model-len -1', { max_model_len: -1 }],
  ['a/b --max-num-batched-tokens 8k', { max_num_batched_tokens: 8000 }],
  ['a/b --enable-prefix-caching', { enable_prefix_caching: true }],
  ['a/b --no-enable-prefix-caching', { enable_prefix_caching: false }],
  ['a/b --gpu-memory-utilization .85', { gpu_memory_utilization: 0.85 }],
  ['a/b --served-model-name x y z', { served_model_name: ['x', 'y', 'z'] }],
  ['--port 8001 a/b', { port: 8001 }],
  ['--port 8001 a/b --host 0.0.0.0', { port: 8001, host: '0.0.0.0' }],
  ['a/b --hf-overrides.rope_theta 3', { hf_overrides: { rope_theta: 3 } }],
  ['a/b --hf-overrides.a.b 3 --hf-overrides.a.c x', { hf_overrides: { a: { b: 3, c: 'x' } } }],
  ['a/b -cc.mode=3', { compilation_config: { mode: 3 } }],
  ['a/b -O3', { optimization_level: '3' }],
  ['a/b -O 2', { optimization_level: '2' }],
  ['a/b -dp 2 -dpl 1', { data_parallel_size: 2, data_parallel_size_local: 1 }],
  ['a/b --kv-cache-dtype fp8', { kv_cache_dtype: 'fp8' }],
])('0.32 takes %s', (line, given) => {
  const parsed = parse(line)
  expect(parsed).toMatchObject({ ok: true, model: 'a/b' })
  if (parsed.ok) expect(Object.fromEntries(parsed.given)).toMatchObject(given)
})

test.each([
  ['a/b --foo bar', 'vllm: error: unrecognized arguments: --foo bar'],
  ['a/b --foo=bar', 'vllm: error: unrecognized arguments: --foo=bar'],
  ['--foo bar a/b', 'vllm: error: unrecognized arguments: --foo a/b'],
  ['a/b c/d', 'vllm: error: unrecognized arguments: c/d'],
  ['a/b --enable-prefix-caching true', 'vllm: error: unrecognized arguments: true'],
  [
    'a/b --enable-prefix-caching=true',
    "vllm serve: error: argument --enable-prefix-caching/--no-enable-prefix-caching: ignored explicit argument 'true'",
  ],
  ['a/b -tp x', "vllm serve: error: argument --tensor-parallel-size/-tp: invalid int value: 'x'"],
  [
    'a/b --max-model-len abc',
    "vllm serve: error: argument --max-model-len: invalid human_readable_int_or_auto value: 'abc'",
  ],
  [
    'a/b --max-model-len 1.5K',
    'vllm serve: error: argument --max-model-len: Decimals are not allowed with binary suffixes like K. Did you mean to use 1.5k instead?',
  ],
  [
    'a/b --dtype foo',
    "vllm serve: error: argument --dtype: invalid choice: 'foo' (choose from auto, bfloat16, float, float16, float32, half)",
  ],
  ['a/b --served-model-name', 'vllm serve: error: argument --served-model-name: expected at least one argument'],
  ['a/b --seed', 'vllm serve: error: argument --seed: expected one argument'],
  [
    'a/b --max-num-b 4 --max-num 4',
    'vllm serve: error: ambiguous option: --max-num could match --max-num-batched-tokens, --max-num-scheduled-tokens, --max-num-seqs, --max-num-active-seqs, --max-num-queued-reqs, --max-num-queued-tokens',
  ],
])('0.32 refuses %s as argparse words it, with exit code 2', (line, last) => {
  const parsed = parse(line)
  expect(parsed).toMatchObject({ ok: false, exitCode: 2 })
  if (!parsed.ok) expect(parsed.stderr.at(-1)).toBe(last)
})

test('--model after `vllm serve`: moved now, refused around 0.9, plain before', () => {
  expect(parse('--model a/b --port 1')).toMatchObject({ ok: true, model: 'a/b' })
  expect(parse('--model a/b', '0.9.2')).toMatchObject({ ok: false, code: 'exception', exitCode: 1 })
  expect(parse('--model a/b', '0.7.3')).toMatchObject({ ok: false, code: 'missing-model' })
})

test('the module takes --model in every version, and a bare word only since 0.10', () => {
  expect(parse('--model a/b -tp 2', '0.6.6.post1', 'module')).toMatchObject({ ok: true, model: 'a/b' })
  expect(parse('a/b', '0.6.6.post1', 'module')).toMatchObject({ ok: false, message: 'unrecognized arguments: a/b' })
})

// held against vLLM 0.32's own parser; what becomes of model_tag: entrypoints of 0.8.5 to 0.32
const words = (args: string[], form: 'serve' | 'module', version = '0.32.0') =>
  parseCommandLine(args, form, versionOf(vllmImage(`vllm/vllm-openai:v${version}`)))

test.each(['0.10.0', '0.11.0', '0.32.0'])(
  'the module of %s takes a bare word and serves its default model',
  (version) => {
    expect(parse('a/b -tp 2', version, 'module')).toMatchObject({
      ok: true,
      model: 'Qwen/Qwen3-0.6B',
      modelOrigin: 'default',
      ignored: 'a/b',
    })
    expect(parse('--model c/d a/b', version, 'module')).toMatchObject({ ok: true, model: 'c/d', ignored: 'a/b' })
  },
)

test('a flag and its value in one argument are a bare word', () => {
  const both = ['--model=m', '--tensor_parallel_size 8']
  const module = words(both, 'module')
  expect(module).toMatchObject({ ok: true, model: 'm', ignored: '--tensor-parallel-size 8' })
  expect(module.ok && module.given.has('tensor_parallel_size')).toBe(false)
  const unrecognised = { ok: false, exitCode: 2, message: 'unrecognized arguments: --tensor-parallel-size 8' }
  expect(words(both, 'serve')).toMatchObject(unrecognised)
  expect(words(both, 'module', '0.9.2')).toMatchObject(unrecognised)
  expect(words(['m', '--tensor-parallel-size 8'], 'module')).toMatchObject(unrecognised)
  expect(words(['--model m', '-tp', '2'], 'module')).toMatchObject({ model: 'Qwen/Qwen3-0.6B', ignored: '--model m' })
  expect(words(['--model m', '-tp', '2'], 'serve')).toMatchObject({ ok: true, model: '--model m' })
  expect(words(['m', '-q fp8'], 'serve')).toMatchObject({ ok: true, model: 'm' })
})

test('flags come and go with versions', () => {
  expect(parse('a/b --shutdown-timeout 20').ok).toBe(true)
  expect(parse('a/b --shutdown-timeout 20', '0.10.2')).toMatchObject({
    code: 'unknown-flag',
    flag: '--shutdown-timeout',
  })
  expect(parse('a/b --swap-space 4', '0.8.5').ok).toBe(true)
  expect(parse('a/b --num-scheduler-steps 8', '0.8.5').ok).toBe(true)
  expect(parse('a/b --num-scheduler-steps 8')).toMatchObject({ code: 'unknown-flag', flag: '--num-scheduler-steps' })
})

test('without a model vLLM serves its default, and says where that comes from', () => {
  expect(parse('--port 1')).toMatchObject({ ok: true, model: 'Qwen/Qwen3-0.6B', modelOrigin: 'default' })
})
