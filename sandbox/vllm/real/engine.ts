import { join } from 'node:path'
import { ensureCpuBuild } from './cpu-build.ts'
import { freePort, type StartedServer, startServer } from './server-process.ts'

export interface RealServer {
  /** Of `vllm serve`, the model first. */
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** The CPU build needs both to start here: bfloat16 without compilation dies on some CPUs. */
export const CPU_ARGS: readonly string[] = ['--dtype', 'float32', '--enforce-eager']

const OFFLINE = { HF_HUB_OFFLINE: '1', VLLM_NO_USAGE_STATS: '1', VLLM_CPU_KVCACHE_SPACE: '1' }

/** Milliseconds. Quiet machines need 45 s. */
const START_MS = 600_000

/**
 * A real vLLM, as a process of this machine: its CPU build, installed when it is absent. Ready when this resolves. Throws an Error with
 * the end of its log where it does not start.
 */
export async function startReal({ args, environment }: RealServer): Promise<StartedServer> {
  const build = await ensureCpuBuild()
  const port = await freePort()
  const server = startServer({
    program: join(build.environment, 'bin/vllm'),
    args: ['serve', ...args, '--host', '127.0.0.1', '--port', String(port)],
    environment: { ...OFFLINE, ...environment },
    port,
  })
  try {
    await server.ready(START_MS)
  } catch (error) {
    await server.stop(0)
    throw error
  }
  return server
}
