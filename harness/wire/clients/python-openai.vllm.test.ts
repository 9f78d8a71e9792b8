import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { TINY_LLAMA } from '../places.ts'
import { startMock } from '../servers.ts'
import { pythonWithOpenai } from './programs.ts'

const run = promisify(execFile)
const python = await pythonWithOpenai()

it.runIf(python !== undefined)('Python’s openai, unmodified, gets what it expects', async () => {
  const args = [TINY_LLAMA, '--served-model-name', 'tiny-llama', '--max-model-len', '2048']
  await using server = await startMock({ vllm: '0.32.0', args, environment: {} })
  const { stdout } = await run(python!, [join(import.meta.dirname, 'openai_client.py'), `${server.url}/v1`])
  expect(JSON.parse(stdout)).toEqual({
    models: ['tiny-llama'],
    usage: [11, 6],
    logprobs: [2, 2, 2, 2, 2, 2],
    streamed: { first: 'assistant', finish: 'length', usage: 6 },
    completion: ['a', 'b'],
    errors: [
      ['NotFoundError', 404, 'model'],
      ['BadRequestError', 400, 'temperature'],
      ['BadRequestError', 400, null],
    ],
  })
})
