import { gpus } from '../../fixtures/gpus/index.ts'
import { parseGpus } from '../../harness/staying/node-groups.ts'
import { isLoopback } from '../../sandbox/vllm/server/loopback.ts'
import { ServeError, serveVllm } from '../../sandbox/vllm/wire/edge/serve.ts'
import { parseDuration, type Us } from '../../sandbox/world/time.ts'
import { UsageError } from '../failure.ts'

export interface VllmOptions {
  gpu: string
  faultPort?: string
  seed: string
  loadTime?: string
  tokenizer?: string
  answers: 'natural' | 'endless'
}

const FAULT_TOKEN = 'SEATRIAL_FAULT_TOKEN'
const EXAMPLE = 'For example: seatrial vllm --gpu h100-sxm:8 serve meta-llama/Llama-3.1-8B-Instruct --port 8000'

/** A vLLM server on this machine that no client can tell from the real one. Ends with its exit code. */
export async function vllm(words: readonly string[], options: VllmOptions): Promise<number> {
  const [command, ...args] = words
  if (command !== 'serve')
    throw new UsageError('BAD_OPTION', `vllm has one command here, serve, not «${command}»`, EXAMPLE)
  const gpu = gpuOf(options.gpu)
  const faults = options.faultPort === undefined ? undefined : faultAddress(options.faultPort)
  const seed = Number(options.seed)
  if (!Number.isInteger(seed))
    throw new UsageError('BAD_OPTION', `--seed must be a whole number, not «${options.seed}»`, EXAMPLE)
  const code = await new Promise<number>((resolve, reject) => {
    try {
      const server = serveVllm({
        args,
        environment: process.env,
        gpu,
        seed,
        loadTimeUs: options.loadTime === undefined ? undefined : durationOf(options.loadTime),
        tokenizer: options.tokenizer,
        answers: options.answers,
        faults,
        apiServerPid: process.pid,
        log: (line) => process.stdout.write(`${line}\n`),
        note: (text) => process.stderr.write(`seatrial: ${text}\n`),
        exit: resolve,
      })
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => server.signal(signal))
      server.faultPort?.then(
        (port) => process.stderr.write(`seatrial: faults: http://${faults!.host}:${port}/\n`),
        reject,
      )
    } catch (error) {
      reject(error)
    }
  }).catch((error: unknown) => {
    throw error instanceof ServeError ? new UsageError(error.code, error.message, error.fix) : error
  })
  // what the port held open must not keep the process
  setImmediate(() => process.exit(code))
  return code
}

function gpuOf(text: string): { id: string; count: number } {
  try {
    const { product, count } = parseGpus(text)
    return { id: gpus.find((gpu) => gpu.product === product)!.id, count }
  } catch (error) {
    throw new UsageError('BAD_OPTION', `--gpu: ${(error as Error).message}`, EXAMPLE)
  }
}

function durationOf(text: string): Us {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new UsageError('BAD_OPTION', `--load-time: ${(error as Error).message}`, 'For example: --load-time 20s')
  }
}

/** `PORT` on loopback, or `HOST:PORT` with a token in the environment. */
function faultAddress(text: string): { host: string; port: number; token?: string } {
  const [, host = '127.0.0.1', digits = ''] = /^(?:(.*):)?(\d+)$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === '' || port > 65_535)
    throw new UsageError(
      'BAD_OPTION',
      `--fault-port must be PORT or HOST:PORT, not «${text}»`,
      'For example: --fault-port 9000',
    )
  const token = process.env[FAULT_TOKEN]
  if (!isLoopback(host) && !token)
    throw new UsageError(
      'NO_FAULT_TOKEN',
      `the fault port on ${host} could be used by anyone who reaches it`,
      `Set ${FAULT_TOKEN}; requests then carry it as Authorization: Bearer. Or use loopback: --fault-port ${port}`,
    )
  return { host, port, ...(token ? { token } : {}) }
}
