import { expect, it } from 'vitest'
import { parseCommandLine } from '../../flags/parse.ts'
import { settingsOf } from '../../flags/settings.ts'
import { versionOf } from '../../flags/version.ts'
import { httpFlagsOf, nonDefaultArgs, wireFlagsOf } from './wire-flags.ts'

const version = versionOf(undefined)

function given(args: readonly string[], environment: Record<string, string> = {}) {
  const parsed = parseCommandLine(args, 'serve', version)
  if (!parsed.ok) throw new Error(parsed.message)
  const settings = settingsOf(parsed, version, environment)
  return { given: parsed.given, environment, settings, version: '0.32.0' }
}

it('takes keys from the flag before the variable, and switches from the environment', () => {
  const of = (args: readonly string[], environment: Record<string, string>) => wireFlagsOf(given(args, environment))
  expect(of(['m'], { VLLM_API_KEY: 'v' }).apiKeys).toEqual(['v'])
  expect(of(['m', '--api-key', 'a', 'b'], { VLLM_API_KEY: 'v' }).apiKeys).toEqual(['a', 'b'])
  expect(of(['m'], {})).toMatchObject({ apiKeys: [], devMode: false, runtimeLoraUpdating: false, maxLogprobs: 20 })
  expect(of(['m'], { VLLM_SERVER_DEV_MODE: '1', VLLM_ALLOW_RUNTIME_LORA_UPDATING: 'True' })).toMatchObject({
    devMode: true,
    runtimeLoraUpdating: true,
  })
  expect(httpFlagsOf(given(['m'], { VLLM_HTTP_TIMEOUT_KEEP_ALIVE: '75' })).keepAliveSeconds).toBe(75)
})

it('makes a fingerprint of version, parallelism and what shapes the engine', () => {
  const of = (...args: readonly string[]) => wireFlagsOf(given(['m', ...args])).systemFingerprint
  expect(of()).toMatch(/^vllm-0\.32\.0-[0-9a-f]{8}$/)
  expect(of('--port', '9000')).toBe(of())
  expect(of('--max-num-seqs', '8')).not.toBe(of())
  expect(of('-tp', '2', '-dp', '4')).toMatch(/^vllm-0\.32\.0-tp2-dp4-/)
  expect(of('-tp', '2', '--fingerprint-mode', 'hash')).toMatch(/^vllm-0\.32\.0-[0-9a-f]{8}$/)
  expect(of('--fingerprint-mode', 'none')).toBeNull()
  expect(of('--fingerprint-mode', 'custom', '--fingerprint-value', 'mine')).toBe('mine')
})

it('shows what differs from the defaults in the parser’s order, keys hidden', () => {
  const args = ['m', '--max-model-len', '2048', '--port', '8001', '--api-key', 'sk', '--lora-modules', 'a=/l']
  expect(nonDefaultArgs(given(args), version.table.flags)).toBe(
    "{'model_tag': 'm', 'lora_modules': [LoRAModulePath(name='a', path='/l', base_model_name=None, is_3d_lora_weight=False)], 'port': 8001, 'api_key': '***', 'model': 'm', 'max_model_len': 2048}",
  )
})
