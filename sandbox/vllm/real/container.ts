/** A real vLLM in a container, on a host with GPUs. */
export interface ContainerServer {
  readonly name: string
  readonly image: string
  /** Of `vllm serve`, the model first. */
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** On loopback of the host. */
  readonly port: number
  /** Which GPUs: by number or UUID. None: all. */
  readonly gpus: readonly string[] | 'all'
  /** Where Hugging Face keeps models, on the host. */
  readonly modelCache: string
  /** In bytes. Workers of tensor parallelism meet there. */
  readonly sharedMemoryBytes?: number
}

const PORT = 8000
const GIB = 2 ** 30

/** The body with which Docker’s API creates the container. */
export function containerConfig(server: ContainerServer) {
  return {
    Image: server.image,
    Cmd: [...server.args, '--host', '0.0.0.0', '--port', String(PORT)],
    Env: Object.entries(server.environment ?? {}).map(([name, value]) => `${name}=${value}`),
    ExposedPorts: { [`${PORT}/tcp`]: {} },
    HostConfig: {
      PortBindings: { [`${PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(server.port) }] },
      DeviceRequests: [deviceRequest(server.gpus)],
      Binds: [`${server.modelCache}:/root/.cache/huggingface`],
      ShmSize: server.sharedMemoryBytes ?? 8 * GIB,
      AutoRemove: true,
    },
  }
}

/** The same as arguments of `docker`. */
export function containerCommand(server: ContainerServer): string[] {
  const { HostConfig, Env, Cmd, Image } = containerConfig(server)
  const gpus = server.gpus === 'all' ? 'all' : `"device=${server.gpus.join(',')}"`
  return [
    'run',
    '--rm',
    ...['--name', server.name],
    ...['--gpus', gpus],
    ...['--shm-size', String(HostConfig.ShmSize)],
    ...HostConfig.Binds.flatMap((bind) => ['--volume', bind]),
    ...['--publish', `127.0.0.1:${server.port}:${PORT}`],
    ...Env.flatMap((variable) => ['--env', variable]),
    Image,
    ...Cmd,
  ]
}

const deviceRequest = (gpus: ContainerServer['gpus']) => ({
  Driver: 'nvidia',
  ...(gpus === 'all' ? { Count: -1 } : { DeviceIDs: [...gpus] }),
  Capabilities: [['gpu']],
})
