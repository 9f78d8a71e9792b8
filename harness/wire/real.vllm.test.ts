import { expect, it } from 'vitest'
import { ensureCpuBuild, whyNoCpuBuild } from '../../sandbox/vllm/real/cpu-build.ts'
import { CPU_ARGS, startReal } from '../../sandbox/vllm/real/engine.ts'
import type { Recording } from './compare/recording.ts'
import { placesOf } from './places.ts'
import { ask } from './raw-http.ts'
import { ownRecordings } from './recordings.ts'
import { replay, reported } from './replay.ts'
import { startMock } from './servers.ts'

const MINUTES = 60_000

/** One in so many of the recorded requests: a real server on a CPU is slow. */
const ONE_IN = 4

it.runIf((await whyNoCpuBuild()) === undefined)(
  'answers what the real vLLM answers, one request after another',
  async () => {
    const { model, lora } = await ensureCpuBuild((step) => process.stdout.write(`${step}\n`))
    const served = [model, '--served-model-name', 'tiny-llama', '--max-model-len', '2048', ...CPU_ARGS]
    const requests = ownRecordings('0.32.0', placesOf(model, lora))
      .filter(({ name }) => name !== 'features')
      .flatMap(({ recordings }) => recordings)
      .filter((_, i) => i % ONE_IN === 0)
    const answers: Recording[] = []
    {
      await using real = await startReal({ args: served })
      const to = { host: '127.0.0.1', port: real.port }
      for (const { name, request } of requests)
        answers.push({ name, request, answer: await ask(to, request, { hostHeader: 'vllm' }) })
    }
    await using mock = await startMock({ vllm: '0.32.0', args: served, environment: { VLLM_CPU_KVCACHE_SPACE: '1' } })
    const replayed = await replay({ host: '127.0.0.1', port: mock.port }, answers)
    const report = reported('the mock', replayed)
    process.stdout.write(`${report}\n`)
    expect(replayed.filter(({ differences }) => differences.length > 0).length, report).toBe(0)
  },
  30 * MINUTES,
)
