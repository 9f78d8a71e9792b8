import { describe, expect, it } from 'vitest'
import { type ContainerServer, containerCommand, containerConfig } from './container.ts'

const server: ContainerServer = {
  name: 'vllm-chat',
  image: 'vllm/vllm-openai:v0.32.0',
  args: ['Qwen/Qwen3-8B', '--tensor-parallel-size', '2'],
  environment: { VLLM_LOGGING_LEVEL: 'DEBUG' },
  port: 18_000,
  gpus: ['0', '1'],
  modelCache: '/var/cache/huggingface',
}

describe('a real vLLM in a container', () => {
  it('gets its GPUs, its model cache and shared memory', () => {
    expect(containerConfig(server)).toMatchInlineSnapshot(`
      {
        "Cmd": [
          "Qwen/Qwen3-8B",
          "--tensor-parallel-size",
          "2",
          "--host",
          "0.0.0.0",
          "--port",
          "8000",
        ],
        "Env": [
          "VLLM_LOGGING_LEVEL=DEBUG",
        ],
        "ExposedPorts": {
          "8000/tcp": {},
        },
        "HostConfig": {
          "AutoRemove": true,
          "Binds": [
            "/var/cache/huggingface:/root/.cache/huggingface",
          ],
          "DeviceRequests": [
            {
              "Capabilities": [
                [
                  "gpu",
                ],
              ],
              "DeviceIDs": [
                "0",
                "1",
              ],
              "Driver": "nvidia",
            },
          ],
          "PortBindings": {
            "8000/tcp": [
              {
                "HostIp": "127.0.0.1",
                "HostPort": "18000",
              },
            ],
          },
          "ShmSize": 8589934592,
        },
        "Image": "vllm/vllm-openai:v0.32.0",
      }
    `)
  })

  it('is started by docker with the same', () => {
    expect(containerCommand(server).join(' ')).toMatchInlineSnapshot(
      `"run --rm --name vllm-chat --gpus "device=0,1" --shm-size 8589934592 --volume /var/cache/huggingface:/root/.cache/huggingface --publish 127.0.0.1:18000:8000 --env VLLM_LOGGING_LEVEL=DEBUG vllm/vllm-openai:v0.32.0 Qwen/Qwen3-8B --tensor-parallel-size 2 --host 0.0.0.0 --port 8000"`,
    )
  })

  it('gets every GPU where none is named', () => {
    expect(containerConfig({ ...server, gpus: 'all' }).HostConfig.DeviceRequests).toEqual([
      { Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] },
    ])
    expect(containerCommand({ ...server, gpus: 'all' })).toContain('all')
  })
})
