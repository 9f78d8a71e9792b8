import type { InferenceObserver, InferenceRequest, ProgramContext } from '../../nodes/program.ts'
import { VirtualClock } from '../../world/clock.ts'
import { randomStream } from '../../world/random.ts'
import { toSeconds, type Us } from '../../world/time.ts'
import { vllmProgram } from './program.ts'
import { type ResolvedServer, resolveServer } from './resolve.ts'
import type { StartupOptions } from './startup.ts'
import type { VllmServer } from './vllm-server.ts'

const H100 = 'NVIDIA-H100-80GB-HBM3'

/** Resolves `vllm serve ARGS` on the given GPUs. */
export function resolveLine(line: string, gpuCount = 1, gpuProduct = H100, version = '0.32.0'): ResolvedServer {
  const container = { image: `vllm/vllm-openai:v${version}`, command: ['vllm', 'serve', ...line.split(' ')] }
  return resolveServer(container, {}, { gpuProduct, gpuCount })
}

/** A container run on a virtual clock, with all it says. */
export function run(resolved: ResolvedServer, options: StartupOptions = {}) {
  if (resolved.kind !== 'runs' && resolved.kind !== 'refused' && resolved.kind !== 'bad-arguments')
    throw new Error(`cannot run: ${JSON.stringify(resolved)}`)
  const clock = new VirtualClock()
  const log: string[] = []
  const exits: { code: number; at: Us }[] = []
  const context = {
    clock,
    random: randomStream(1, 'test'),
    devices: [],
    log: (line: string) => log.push(line),
    exit: (code: number) => exits.push({ code, at: clock.now }),
  } as unknown as ProgramContext
  const program = vllmProgram(resolved, options).start(context)
  return { clock, log, exits, program, server: program as VllmServer }
}

/** A server that is up at once after its given load time. */
export function upServer(line = 'meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192') {
  const running = run(resolveLine(line), { totalLoadUs: 60e6 })
  running.clock.runUntil(60e6)
  return running
}

/** An observer that writes down what it is told. */
export function recorder() {
  const told: string[] = []
  const observer: InferenceObserver = {
    firstToken: (at) => told.push(`first ${toSeconds(at)}`),
    finished: ({ at, outputTokens, reason }) => told.push(`${reason} ${outputTokens} ${toSeconds(at)}`),
    failed: ({ at, kind, status, message }) => told.push(`${kind} ${status ?? ''} ${toSeconds(at)} ${message}`),
  }
  return { told, observer }
}

export const request = (id: string, more: Partial<InferenceRequest> = {}): InferenceRequest => ({
  id,
  model: 'meta-llama/Llama-3.1-8B-Instruct',
  promptTokens: 100,
  outputTokens: 50,
  stream: true,
  ...more,
})
