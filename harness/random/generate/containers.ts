import type { Chance } from '../chance.ts'

type Fields = Record<string, unknown>

/** A container and whether it lets its pod become Ready and stay so. */
export interface RandomContainer {
  readonly container: Fields
  readonly sound: boolean
  readonly port: number | undefined
}

const MODELS = [
  'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
  'meta-llama/Llama-3.2-1B-Instruct',
  'Qwen/Qwen3-0.6B',
  'Qwen/Qwen3-8B',
  'meta-llama/Llama-3.3-70B-Instruct',
] as const

/** A vLLM server with random flags; whether it starts is for the simulated server to say. */
export function vllmContainer(chance: Chance, gpuCount: number): RandomContainer {
  const port = chance.yes(0.2) ? 9000 : 8000
  const args = [
    `--model=${chance.oneOf(MODELS)}`,
    '--served-model-name=m',
    ...(port === 8000 ? [] : [`--port=${port}`]),
    `--max-model-len=${chance.oneOf([2048, 4096, 8192])}`,
    ...(gpuCount > 1 && chance.yes(0.8) ? [`--tensor-parallel-size=${gpuCount}`] : []),
    ...(chance.yes(0.4) ? [`--gpu-memory-utilization=${chance.oneOf(['0.5', '0.8', '0.95'])}`] : []),
    ...(chance.yes(0.3) ? [`--max-num-seqs=${chance.oneOf([1, 8, 64, 512])}`] : []),
    ...(chance.yes(0.3) ? [`--max-num-batched-tokens=${chance.oneOf([2048, 8192])}`] : []),
    ...(chance.yes(0.2) ? ['--no-enable-prefix-caching'] : []),
    ...(chance.yes(0.2) ? ['--enforce-eager'] : []),
    ...(chance.yes(0.04) ? ['--no-such-flag'] : []),
  ]
  const probes = probesFor(chance, { port, path: '/health', slow: true })
  return {
    container: {
      name: 'vllm',
      image: `vllm/vllm-openai:${chance.oneOf(['v0.11.0', 'v0.19.1', 'v0.32.0'])}`,
      args,
      ports: [{ name: 'http', containerPort: port }],
      resources: {
        requests: { cpu: chance.oneOf(['500m', '1', '2']), memory: chance.oneOf(['1Gi', '4Gi']) },
        limits: { 'nvidia.com/gpu': String(gpuCount) },
      },
      ...probes.fields,
      ...chance.fields(0.3, () => preStop(chance)),
    },
    sound: probes.sound,
    port,
  }
}

/** A server nobody has described: it listens, answers 200 and ends on SIGTERM. */
export function plainContainer(chance: Chance, { name = 'app', roomy = false } = {}): RandomContainer {
  const port = 8080
  const probes = probesFor(chance, { port, path: '/', slow: false, right: roomy && chance.yes(0.8) })
  return {
    container: {
      name,
      image: `registry.example.com/${name}:1`,
      ports: [{ name: name === 'app' ? 'http' : 'side', containerPort: port }],
      ...chance.fields(0.8, () => ({ resources: plainResources(chance, roomy) })),
      ...probes.fields,
      ...chance.fields(0.2, () => preStop(chance)),
    },
    sound: probes.sound,
    port,
  }
}

/** One that runs a command to its end. */
export const endingContainer = (chance: Chance, name: string, seconds: number, fails = false): Fields => ({
  name,
  image: 'busybox:1',
  command: ['sh', '-c', `sleep ${seconds}; exit ${fails ? 1 : 0}`],
  ...chance.fields(0.5, () => ({ resources: plainResources(chance) })),
})

function plainResources(chance: Chance, roomy = false): Fields {
  const cpu = chance.oneOf(roomy ? ['50m', '1', '6', '11'] : ['50m', '250m', '1', '3'])
  const memory = chance.oneOf(['64Mi', '256Mi', '2Gi'])
  const requests = { cpu, memory }
  return chance.yes(0.3) ? { requests, limits: requests } : { requests }
}

const preStop = (chance: Chance): Fields => ({
  lifecycle: { preStop: { exec: { command: ['sleep', String(chance.oneOf([1, 5, 20, 120]))] } } },
})

/** Probes, some of them wrong: a port nobody listens on, a liveness probe before the program has started. */
function probesFor(
  chance: Chance,
  { port, path, slow, right: well = false }: { port: number; path: string; slow: boolean; right?: boolean },
): { fields: Fields; sound: boolean } {
  const right = chance.yes(0.15) ? { tcpSocket: { port } } : { httpGet: { path, port } }
  const wrong = { httpGet: { path, port: 1 } }
  const good = ['none', 'ready', 'ready', 'ready', 'all', 'all'] as const
  const kind = chance.oneOf(well ? good : ([...good, 'wrong-ready', 'wrong-live'] as const))
  const startup = { ...right, periodSeconds: chance.oneOf([2, 10]), failureThreshold: slow ? 600 : 30 }
  const readiness = { ...right, periodSeconds: chance.oneOf([1, 5, 10]) }
  switch (kind) {
    case 'none':
      return { fields: {}, sound: true }
    case 'ready':
      return { fields: { readinessProbe: readiness }, sound: true }
    case 'all':
      return {
        fields: { startupProbe: startup, livenessProbe: { ...right, periodSeconds: 10 }, readinessProbe: readiness },
        sound: true,
      }
    case 'wrong-ready':
      return { fields: { readinessProbe: { ...wrong, periodSeconds: 5 } }, sound: false }
    case 'wrong-live':
      return { fields: { livenessProbe: { ...wrong, periodSeconds: 5, failureThreshold: 2 } }, sound: false }
  }
}
