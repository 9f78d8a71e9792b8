import { expect, test } from 'vitest'
import { resolveLine } from '../server/test-kit.ts'

const L8 = 'meta-llama/Llama-3.1-8B-Instruct'

/** What becomes of `--quantization METHOD` on one H100. */
const start = (method: string, version = '0.32.0', model = L8) => {
  const found = resolveLine(`${model} --max-model-len 8192 --quantization ${method}`, 1, undefined, version)
  return found.kind === 'refused' ? `${found.refusal.code}: ${found.refusal.message}` : found.kind
}

test.each([
  'fp8',
  'FP8',
  'fp8_per_tensor',
  'fp8_per_block',
  'mxfp8',
  'mxfp4',
  'experts_int8',
  'int8_per_channel_weight_only',
])('%s quantises what it loads, and starts', (method) => expect(start(method)).toBe('runs'))

test('an unknown method is refused, with the methods of that version', () => {
  expect(start('foo')).toMatch(
    /^quantization-unknown: Unknown quantization method: foo\. Must be one of \['awq', 'auto_awq', 'fp8', .*, 'mxfp8'\]\.$/,
  )
  expect(start('bitsandbytes')).toContain('Unknown quantization method: bitsandbytes')
  expect(start('bitsandbytes', '0.26.0')).toBe('runs')
  expect(start('fp8_per_block', '0.11.0')).toContain('Unknown quantization method: fp8_per_block')
  expect(start('foo', '0.8.5')).toBe('bad-arguments')
})

test.each(['awq', 'auto_awq', 'awq_marlin', 'gptq', 'gptq_marlin', 'modelopt', 'moe_wna16', 'inc'])(
  '%s does not start on a checkpoint without it',
  (method) => expect(start(method)).toBe(`quantization-mismatch: Cannot find the config file for ${method}`),
)

test('methods whose class is made from config.json end with its TypeError', () => {
  const found = resolveLine(`${L8} --quantization compressed-tensors`)
  expect(found).toMatchObject({ kind: 'refused', refusal: { exception: 'TypeError', flag: '--quantization' } })
  expect(start('quark')).toContain("QuarkConfig.__init__() missing 1 required positional argument: 'quant_config'")
})

test('a checkpoint of the method starts', () => {
  expect(start('awq', '0.32.0', 'Qwen/Qwen2.5-32B-Instruct-AWQ')).toBe('runs')
  expect(start('foo', '0.32.0', 'Qwen/Qwen2.5-32B-Instruct-AWQ')).toContain('does not match')
})

test('a deprecated method needs leave', () => {
  expect(start('fp_quant')).toContain('To bypass, set `--allow-deprecated-quantization`.')
  expect(start('fp_quant --allow-deprecated-quantization')).toBe('runs')
})

test('a version nobody has read is refused with a doubt', () => {
  const found = resolveLine(`${L8} --quantization foo`, 1, undefined, '0.99.0')
  expect(found).toMatchObject({ kind: 'refused', refusal: { uncertain: true } })
})
