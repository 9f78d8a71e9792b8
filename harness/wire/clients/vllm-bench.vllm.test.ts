import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { ensureCpuBuild, whyNoCpuBuild } from '../../../sandbox/vllm/real/cpu-build.ts'
import { TINY_LLAMA } from '../places.ts'
import { startMock } from '../servers.ts'

const run = promisify(execFile)

it.runIf((await whyNoCpuBuild()) === undefined)(
  '`vllm bench serve`, unmodified, counts every token',
  async () => {
    const build = await ensureCpuBuild()
    const served = [TINY_LLAMA, '--served-model-name', 'tiny-llama', '--max-model-len', '2048']
    await using server = await startMock({ vllm: '0.32.0', args: served, environment: {} })
    const folder = mkdtempSync(join(tmpdir(), 'seatrial-bench-'))
    const result = join(folder, 'result.json')
    const about = ['--backend', 'openai-chat', '--base-url', server.url, '--endpoint', '/v1/chat/completions']
    const model = ['--model', 'tiny-llama', '--tokenizer', TINY_LLAMA]
    const data = ['--dataset-name', 'random', '--random-input-len', '32', '--random-output-len', '16']
    const load = ['--num-prompts', '20', '--request-rate', '10', '--seed', '1', '--ignore-eos']
    const save = ['--save-result', '--result-filename', result]
    try {
      await run(
        join(build.environment, 'bin/vllm'),
        ['bench', 'serve', ...about, ...model, ...data, ...load, ...save],
        {
          env: { ...process.env, HF_HUB_OFFLINE: '1', VLLM_NO_USAGE_STATS: '1' },
          maxBuffer: 64 << 20,
        },
      )
      expect(existsSync(result)).toBe(true)
      const { completed, failed, total_output_tokens } = JSON.parse(readFileSync(result, 'utf8'))
      expect({ completed, failed: failed ?? 0, total_output_tokens }).toEqual({
        completed: 20,
        failed: 0,
        total_output_tokens: 320,
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  600_000,
)
