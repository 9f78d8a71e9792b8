import { join } from 'node:path'
import { freePort, type StartedServer, startServer } from '../../sandbox/vllm/real/server-process.ts'
import type { RecordedServer } from './recordings.ts'

const CLI = join(import.meta.dirname, '../../cli/bin.js')

/** Milliseconds. */
const START_MS = 60_000

/** The recorded servers ran on a CPU, whose blocks are larger: they decide what the prefix cache finds. */
const AS_RECORDED = ['--block-size', '128']

/**
 * Starts `seatrial vllm serve` with the flags of a recorded server, as a process of its own, and waits until it is ready. `more` are flags
 * of `seatrial vllm`, `ofNode` those of the interpreter.
 */
export async function startMock(
  server: RecordedServer,
  more: readonly string[] = [],
  ofNode: readonly string[] = [],
): Promise<StartedServer> {
  const port = await freePort()
  const served = [...server.args, '--host', '127.0.0.1', '--port', String(port)]
  const own = ['--answers', 'endless', '--load-time', '0s', ...more]
  const args = [...ofNode, CLI, 'vllm', ...own, 'serve', ...served, ...AS_RECORDED]
  const started = startServer({ program: process.execPath, args, environment: server.environment, port })
  try {
    await started.ready(START_MS)
  } catch (error) {
    await started.stop(0)
    throw error
  }
  return started
}

/** The flags with which the recordings that an index lists were made. */
export const INDEXED_SERVER = (model: string): RecordedServer => ({
  vllm: '0.32.0',
  args: [model, '--served-model-name', 'tiny-llama', '--max-model-len', '2048'],
  environment: { VLLM_CPU_KVCACHE_SPACE: '1' },
})
