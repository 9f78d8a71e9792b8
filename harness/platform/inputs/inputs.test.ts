import { describe, expect, test } from 'vitest'
import { gpus } from '../../../fixtures/gpus/index.ts'
import type { NodeGroup } from '../../../sandbox/tiers/tier.ts'
import { parseConfig } from '../config/parse.ts'
import { PlatformErrors } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { loadPlatform } from '../load.ts'
import type { Platform } from '../platform.ts'
import { findVllmServers } from '../roles/inference-servers.ts'
import { listInputs } from './list.ts'
import { type ResolvedInputs, resolveInputs } from './resolve.ts'
import { slosOf } from './slo-inputs.ts'

const MODEL = 'meta-llama/Llama-3.1-70B-Instruct'

const server = (name: string, { gpus: count = 4, replicas = 2, spec = '' } = {}) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
${spec}      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.32.0
          args: [--model, ${MODEL}]
          resources: {limits: {nvidia.com/gpu: ${count}}}
`

async function resolve(manifests: string, config?: string, weightsBytes = 141e9): Promise<ResolvedInputs> {
  const platform: Platform = await loadPlatform({ paths: ['-'], stdin: manifests, cwd: '/nowhere' })
  const parsed = config === undefined ? undefined : parseConfig({ file: 'seatrial.yaml', text: config }, LIMITS)
  expect(parsed?.errors ?? []).toEqual([])
  const whole = parsed?.config ? { ...platform, config: parsed.config } : platform
  return resolveInputs(whole, findVllmServers(whole), {
    gpus,
    factsOf: () => ({ model: MODEL, servedNames: ['chat-model'], weightsBytes }),
    estimateLoad: (_, { bytesPerSecond = 1e9 }) => {
      const us = (weightsBytes / bytesPerSecond) * 1e6
      return { us, rangeUs: [us / 2, us * 2], note: `weights at ${bytesPerSecond / 1e9} GB/s` }
    },
  })
}

describe('inputs', () => {
  test('without seatrial.yaml every one is assumed, has a range and says how to give it', async () => {
    const inputs = await resolve(server('chat'))
    const all = listInputs(inputs)
    expect(all.map(({ name }) => name)).toEqual([
      'nodes',
      'registry bandwidth',
      'size of vllm/vllm-openai:v0.32.0',
      'price of NVIDIA-H100-80GB-HBM3',
      ...`load time,idle CPU,request rate,arrivals,prompt length,output length,duration of the load,client timeout,availability,TTFT p95,TPOT p95`
        .split(',')
        .map((name) => `Deployment/chat ${name}`),
    ])
    expect(all.map(({ key }) => key).slice(0, 5)).toEqual([
      'nodes',
      'registryBytesPerSecond',
      'imageBytes[vllm/vllm-openai:v0.32.0]',
      'prices[NVIDIA-H100-80GB-HBM3]',
      'servers[Deployment/chat].loadTimeUs',
    ])
    for (const { name, input } of all) {
      expect(input.note, name).not.toContain('seatrial snapshot')
      expect(input.origin, name).toBe('assumed')
      expect(input.range, name).toHaveLength(2)
      expect(input.note, name).toMatch(/give .* in seatrial\.yaml/)
    }
    expect(inputs.servers['Deployment/chat']!.loadTimeUs).toMatchObject({ value: 141e6, range: [70.5e6, 282e6] })
    expect(inputs.servers['Deployment/chat']!.requestsPerSecond).toMatchObject({ value: 2, range: [0.4, 8] })
    expect(inputs.imageBytes['vllm/vllm-openai:v0.32.0']!.value).toBe(9.2e9)
  })

  test('what seatrial.yaml gives or measured is taken, with its place', async () => {
    const inputs = await resolve(
      server('chat'),
      `registry: {bandwidth: 1GB/s}
images:
  vllm/vllm-openai:v0.32.0: {size: {value: 8GB, measured: snapshot}}
models:
  chat-model: {loadTime: {value: 540s, range: [500s, 600s], measured: "3 starts"}}
workloads:
  chat: {arrival: {rate: 20/s, kind: constant}, promptTokens: 100, duration: 5m, slos: {ttft: {p95: 1s}}}
slos: {availability: 99%, ttft: {p95: 3s, p99: 9s}}
nodes: [{count: 2, gpu: {id: h100-sxm, count: 8}}]
`,
    )
    const chat = inputs.servers['Deployment/chat']!
    expect(chat.loadTimeUs).toMatchObject({
      value: 540e6,
      origin: 'measured',
      range: [500e6, 600e6],
      source: { file: 'seatrial.yaml', line: 5 },
      note: 'measured: 3 starts',
    })
    expect(chat.requestsPerSecond).toMatchObject({ value: 20, origin: 'given', source: { line: 7 } })
    expect(chat.arrival.value).toBe('constant')
    expect(chat.promptTokens).toMatchObject({ value: { kind: 'constant', tokens: 100 }, origin: 'given' })
    expect(chat.outputTokens.origin).toBe('assumed')
    expect(chat.durationUs.value).toBe(300e6)
    expect([chat.ttftP95Us.value, chat.ttftP99Us?.value, chat.availability.value]).toEqual([1e6, 9e6, 0.99])
    expect(chat.tpotP95Us.origin).toBe('assumed')
    expect(inputs.registryBytesPerSecond).toMatchObject({ value: 1e9, origin: 'given' })
    expect(inputs.imageBytes['vllm/vllm-openai:v0.32.0']).toMatchObject({ value: 8e9, origin: 'measured' })
    expect(inputs.nodes).toMatchObject({
      origin: 'given',
      value: [
        {
          name: 'nodes-1',
          count: 2,
          cpu: '128',
          memory: '1024Gi',
          gpu: { product: 'NVIDIA-H100-80GB-HBM3', count: 8 },
        },
      ],
    })
  })

  test('what shapes the load is read whole; a preset gives what is not said', async () => {
    const { servers, prices } = await resolve(
      server('chat'),
      `workloads:
  chat:
    preset: rag
    arrival: {rate: 10/s, kind: gamma, cv: 2, steps: [{at: 1m, times: 3, for: 30s}]}
    outputTokens: 50
    tenants: [{name: a, share: 60%}, {name: b, share: 40%, timeout: 5s}]
    retry: {attempts: 2}
    slos: {e2e: {p99: 20s}, goodput: 95%}
prices: {h100-sxm: {value: 2.5, measured: invoice}}
`,
    )
    const chat = servers['Deployment/chat']!
    expect(chat.promptTokens).toMatchObject({ value: { meanTokens: 3200 }, origin: 'assumed' })
    expect(chat.promptTokens.note).toMatch(/^preset rag \(derived/)
    expect(chat.outputTokens.value).toEqual({ kind: 'constant', tokens: 50 })
    expect(chat.details!.value).toMatchObject({
      cv: 2,
      sharedTokens: 400,
      shapes: [
        {
          kind: 'steps',
          steps: [
            { atUs: 60e6, times: 3 },
            { atUs: 90e6, times: 1 },
          ],
        },
      ],
      tenants: [
        { name: 'a', share: 0.6 },
        { name: 'b', timeoutUs: 5e6 },
      ],
      retry: { attempts: 2, backoffUs: 500e3 },
    })
    expect(chat.e2eP99Us?.value).toBe(20e6)
    expect(prices['NVIDIA-H100-80GB-HBM3']).toMatchObject({ value: 2.5, origin: 'measured' })
    expect(slosOf(chat).at(-1)).toMatchObject({ kind: 'goodput', share: 0.95, limits: { e2e: 20e6 } })
  })

  test('a trace that is not there is an error with its name', async () => {
    await expect(resolve(server('chat'), 'workloads: {chat: {trace: {file: none.csv}}}\n')).rejects.toMatchObject({
      code: 'BAD_TRACE',
      message: expect.stringContaining('none.csv'),
    })
  })

  test('a given loading bandwidth reaches the estimator', async () => {
    const inputs = await resolve(server('chat'), `models: {${MODEL}: {loadBandwidth: 3GB/s}}\n`)
    expect(inputs.servers['Deployment/chat']!.loadTimeUs).toMatchObject({ value: 47e6, origin: 'assumed' })
  })

  test('settings that match nothing are errors with a suggestion', async () => {
    const text =
      'workloads: {chta: {duration: 1m}}\nmodels: {other: {loadTime: 1m}}\nimages: {x: {size: 1GB}}\nnodes: [{count: 1, gpu: {id: h100-smx, count: 8}}]\n'
    const error = await resolve(server('chat'), text).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(PlatformErrors)
    expect((error as PlatformErrors).errors.map((e) => `${e.line} ${e.code} ${e.fix}`)).toEqual([
      '1 BAD_CONFIG Did you mean "chat"?',
      expect.stringMatching(/^2 BAD_CONFIG Known here: Deployment\/chat/),
      expect.stringMatching(/^3 BAD_CONFIG Known here: vllm\/vllm-openai/),
      '4 BAD_CONFIG Did you mean "h100-sxm"?',
    ])
  })
})

describe('the assumed cluster', () => {
  const rows: [string, string, number, { count: number; gpus?: number; product?: string }[]][] = [
    [
      'two pods of 4 GPUs with a 70B model',
      server('a'),
      141e9,
      [{ count: 2, gpus: 4, product: 'NVIDIA-H100-80GB-HBM3' }],
    ],
    ['3 GPUs are rounded up to a node of 4', server('a', { gpus: 3, replicas: 1 }), 16e9, [{ count: 1, gpus: 4 }]],
    [
      'small pods share the nodes of large ones',
      `${server('a', { gpus: 8, replicas: 1 })}---\n${server('b', { gpus: 2, replicas: 4 })}`,
      16e9,
      [{ count: 2, gpus: 8 }],
    ],
    [
      'a selected product is taken',
      server('a', { spec: '      nodeSelector: {nvidia.com/gpu.product: NVIDIA-B200}\n' }),
      16e9,
      [{ count: 2, gpus: 4, product: 'NVIDIA-B200' }],
    ],
    [
      'a model that fits no card but the largest',
      server('a', { gpus: 8, replicas: 1 }),
      1100e9,
      [{ count: 1, gpus: 8, product: 'NVIDIA-B200' }],
    ],
    ['no replicas still need a node to start on', server('a', { replicas: 0 }), 16e9, [{ count: 1, gpus: 4 }]],
    [
      'pods without GPUs have nodes of their own',
      `${server('a')}---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: redis, resources: {requests: {cpu: 2}}}]}\n`,
      16e9,
      [{ count: 2, gpus: 4 }, { count: 1 }],
    ],
  ]
  test.each(rows)('%s', async (_, manifests, weights, groups) => {
    const { nodes } = await resolve(manifests, undefined, weights)
    expect(nodes.value.map(({ count, gpu }) => ({ count, ...(gpu ? { gpus: gpu.count } : {}) }))).toEqual(
      groups.map(({ product, ...group }) => group),
    )
    for (const [i, { product }] of groups.entries()) if (product) expect(nodes.value[i]!.gpu!.product).toBe(product)
    const [low, high] = nodes.range!
    expect(low.map((g) => g.count)).toEqual(nodes.value.map((g) => g.count))
    expect(high).toEqual(nodes.value.map((g) => ({ ...g, count: g.count + 1 })))
  })

  const H100 = 'NVIDIA-H100-80GB-HBM3'
  const guesses: [string, string, number, string, string, RegExp][] = [
    [
      'the usual card holds it',
      server('a'),
      141e9,
      H100,
      H100,
      /GPU guessed: h100-sxm, the smallest usual one that holds 141 GB of weights on 4 GPUs/,
    ],
    ['a small one holds it', server('a', { gpus: 1 }), 16e9, 'NVIDIA-L4', 'NVIDIA-L4', /GPU guessed: l4, the smallest/],
    [
      'it takes a larger card',
      server('a'),
      300e9,
      'NVIDIA-H200',
      H100,
      /GPU guessed: h200-sxm, as 300 GB of weights on 4 GPUs do not fit the usual h100-sxm/,
    ],
    [
      'it takes the largest card',
      server('a', { gpus: 8, replicas: 1 }),
      1100e9,
      'NVIDIA-B200',
      H100,
      /GPU guessed: b200, as 1100 GB of weights on 8 GPUs do not fit the usual h100-sxm/,
    ],
    [
      'the larger card is selected by the pods',
      server('a', { spec: '      nodeSelector: {nvidia.com/gpu.product: NVIDIA-B200}\n' }),
      300e9,
      'NVIDIA-B200',
      'NVIDIA-B200',
      /NVIDIA-B200, which the pods select/,
    ],
  ]
  test.each(guesses)('where %s', async (_, manifests, weights, product, unfavourable, note) => {
    const { nodes } = await resolve(manifests, undefined, weights)
    const products = (groups: readonly NodeGroup[]) => groups.map((group) => group.gpu?.product)
    expect(products(nodes.value)).toEqual([product])
    expect(nodes.range!.map(products)).toEqual([[unfavourable], [product]])
    const [low] = nodes.range!
    expect(low[0]).toMatchObject({ count: nodes.value[0]!.count, cpu: nodes.value[0]!.cpu })
    expect(low[0]!.gpu!.count).toBe(nodes.value[0]!.gpu!.count)
    expect(nodes.note).toMatch(note)
  })

  test('of pods without GPUs has no GPU to speak of', async () => {
    const text = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: redis}]}\n'
    expect((await resolve(text)).nodes.note).not.toMatch(/GPU/)
  })

  test('nodes carry the labels that pods select', async () => {
    const { nodes } = await resolve(server('a', { spec: '      nodeSelector: {pool: gpu}\n' }))
    expect(nodes.value[0]!.labels).toEqual({ pool: 'gpu' })
  })
})
