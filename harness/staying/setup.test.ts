import { describe, expect, it } from 'vitest'
import type { Container, Pod } from '../../sandbox/kube/objects.ts'
import { loadPlatform } from '../platform/load.ts'
import { parseGpus } from './node-groups.ts'
import { stayingSetup } from './setup.ts'

const SHOWCASE = new URL('../../fixtures/platforms/showcase/', import.meta.url).pathname
const showcase = () => loadPlatform({ paths: ['.'], cwd: SHOWCASE, render: false })

const podWith = (container: Partial<Container>): Pod =>
  ({
    metadata: { name: 'chat-1', namespace: 'llm', labels: { app: 'later' }, uid: '1' },
    spec: { containers: [{ name: 'main', image: 'vllm/vllm-openai:v0.32.0', ...container }], nodeName: 'gpu-0' },
    status: {},
  }) as unknown as Pod

describe('nodes', () => {
  it('are 4 of 8 H100 where nobody says', () => {
    const { options, objects } = stayingSetup({})
    expect(options.nodes).toMatchObject([
      { name: 'gpu', count: 4, cpu: '128', memory: '1024Gi', gpu: { product: 'NVIDIA-H100-80GB-HBM3', count: 8 } },
    ])
    expect(objects).toEqual([])
  })

  it('are as asked for, over those of the platform, which are kept where nothing is asked', async () => {
    const platform = await showcase()
    const own = stayingSetup({ platform }).options.nodes
    expect(own.length).toBeGreaterThan(0)
    expect(stayingSetup({ platform, nodes: 7 }).options.nodes).toContainEqual({
      ...own.find(({ gpu }) => gpu),
      count: 7,
    })
    expect(stayingSetup({ platform, gpu: parseGpus('l4:2') }).options.nodes).toMatchObject([
      { count: 4, gpu: { product: 'NVIDIA-L4', count: 2 } },
    ])
  })

  it('have GPUs by product or name, eight unless told', () => {
    expect(parseGpus('NVIDIA-H100-80GB-HBM3')).toEqual(parseGpus('h100-sxm:8'))
    expect(() => parseGpus('h100-sx')).toThrow('did you mean h100-sxm?')
    expect(() => parseGpus('l4:0')).toThrow('1 to 16')
  })
})

describe('limits', () => {
  it('are upstream’s, or as asked for with bursts of twice that', () => {
    expect(stayingSetup({}).options.lag.clients['kube-scheduler']).toEqual({ qps: 50, burst: 100 })
    const { clients } = stayingSetup({ qps: 300 }).options.lag
    expect([clients['kube-scheduler'], clients['kube-controller-manager']]).toEqual([
      { qps: 300, burst: 600 },
      { qps: 300, burst: 600 },
    ])
    expect(clients['kubelet']).toEqual({ qps: 50, burst: 100 })
  })
})

describe('what a pod runs that is applied later', () => {
  const args = ['--model', 'Qwen/Qwen3-32B', '--tensor-parallel-size', '4']
  const resources = { limits: { 'nvidia.com/gpu': '4' } }
  const on = { gpuProduct: 'NVIDIA-H100-80GB-HBM3' }
  const programOf = (setup: ReturnType<typeof stayingSetup>, pod: Pod) =>
    setup.options.programFor(pod, pod.spec.containers[0]!, on)

  it('is vLLM where its image says so, and the same program for the next of its template', () => {
    const setup = stayingSetup({ loadTimeUs: 5e6 })
    const vllm = programOf(setup, podWith({ args, resources }))
    expect(vllm).toBe(programOf(setup, podWith({ args, resources })))
    expect(vllm).not.toBe(programOf(setup, podWith({ args: [...args, '--max-model-len', '4096'], resources })))
    const plain = programOf(setup, podWith({ image: 'nginx' }))
    expect([vllm.name, plain.name]).toEqual(['vllm', expect.not.stringMatching('vllm')])
  })

  it('follows its settings where they are about it; settings about others do not stop it', async () => {
    const setup = stayingSetup({ platform: await showcase() })
    expect(programOf(setup, podWith({ args, resources })).name).toBe('vllm')
    expect(programOf(setup, podWith({ args: ['--no-such-flag'], resources })).name).toBe('vllm')
  })
})
