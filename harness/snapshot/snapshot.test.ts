import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openRest } from '../../sandbox/kube/remote/rest.ts'
import { parseConfig } from '../platform/config/parse.ts'
import { withSnapshot } from '../platform/config/snapshot.ts'
import { LIMITS } from '../platform/limits.ts'
import { PrometheusError, prometheusAt } from './prometheus.ts'
import { clusterReader } from './reader.ts'
import { snapshotText, takeSnapshot } from './snapshot.ts'

const node = (name: string, gpu = true) => ({
  metadata: {
    name,
    labels: {
      'kubernetes.io/hostname': name,
      pool: gpu ? 'gpu' : 'cpu',
      'topology.kubernetes.io/zone': 'a',
      ...(gpu ? { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3', 'nvidia.com/gpu.count': '8' } : {}),
    },
  },
  spec: gpu
    ? {
        taints: [
          { key: 'nvidia.com/gpu', effect: 'NoSchedule' },
          { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
        ],
      }
    : {},
  status: {
    allocatable: { cpu: '190', memory: '2113929216Ki', ...(gpu ? { 'nvidia.com/gpu': '8' } : {}) },
    images: [{ names: ['docker.io/vllm/vllm-openai:v0.11.0'], sizeBytes: 9_200_000_000 }],
  },
})

const pod = (name: string, startedAt: string, readyAt: string) => ({
  metadata: {
    name,
    namespace: 'serving',
    ownerReferences: [{ kind: 'ReplicaSet', name: 'chat-7c9', controller: true }],
  },
  spec: {
    containers: [
      {
        name: 'vllm',
        image: 'vllm/vllm-openai:v0.11.0',
        args: ['--model=x/y'],
        env: [{ name: 'HF_TOKEN', value: 'hunter2' }],
      },
    ],
  },
  status: {
    containerStatuses: [{ name: 'vllm', state: { running: { startedAt } } }],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: readyAt }],
  },
})

const LISTS: Record<string, unknown[]> = {
  '/api/v1/nodes': [node('g1'), node('g2'), node('c1', false)],
  '/api/v1/pods': [
    pod('chat-1', '2026-11-01T10:00:00Z', '2026-11-01T10:09:00Z'),
    pod('chat-2', '2026-11-01T10:00:00Z', '2026-11-01T10:08:20Z'),
    pod('chat-3', '2026-11-01T10:00:00Z', '2026-11-01T10:11:40Z'),
    { metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: 'nginx:1' }] } },
  ],
  '/apis/apps/v1/replicasets': [
    { metadata: { name: 'chat-7c9', namespace: 'serving', ownerReferences: [{ kind: 'Deployment', name: 'chat' }] } },
  ],
  '/apis/autoscaling/v2/horizontalpodautoscalers': [
    {
      metadata: { name: 'chat', namespace: 'serving' },
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'chat' }, minReplicas: 2, maxReplicas: 6 },
      status: { currentReplicas: 3 },
    },
  ],
  '/apis/storage.k8s.io/v1/storageclasses': [{ metadata: { name: 'fast' } }],
  '/apis/scheduling.k8s.io/v1/priorityclasses': [
    { metadata: { name: 'serving' }, value: 1000 },
    { metadata: { name: 'system-node-critical' }, value: 2e9 },
  ],
}

const METRICS: readonly [RegExp, string][] = [
  [/^sum by \(model_name\) \(rate\(vllm:request_success_total/, '3.25'],
  [/^histogram_quantile.*prompt/, '2600.4'],
  [/^histogram_quantile.*generation/, '600'],
  [/prompt_tokens_sum/, '900'],
  [/generation_tokens_sum/, '250'],
]

const asked: { method: string; path: string }[] = []
let forbidden = ''
let server: Server
let address: string

beforeAll(async () => {
  server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())
beforeEach(() => {
  asked.length = 0
  forbidden = ''
})

/** Lists come in pages of two. */
function answer({ method, url }: IncomingMessage, response: ServerResponse): unknown {
  const { pathname, searchParams } = new URL(url!, address)
  asked.push({ method: method!, path: pathname })
  const send = (code: number, body: unknown) => {
    response.writeHead(code, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  if (pathname === '/api/v1/query') {
    const value = METRICS.find(([pattern]) => pattern.test(searchParams.get('query')!))?.[1] ?? 'NaN'
    return send(200, {
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: { model_name: 'chat-70b' }, value: [0, value] }] },
    })
  }
  const items = LISTS[pathname]
  if (!items) return send(404, { kind: 'Status', reason: 'NotFound', message: 'no such resource', code: 404 })
  if (pathname === forbidden) return send(403, { kind: 'Status', reason: 'Forbidden', message: 'no', code: 403 })
  const from = Number(searchParams.get('continue') ?? 0)
  return send(200, {
    items: items.slice(from, from + 2),
    metadata: from + 2 < items.length ? { continue: String(from + 2) } : {},
  })
}

const take = async (prometheus = false) => {
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: address, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'prod', context: { cluster: 'c', user: 'u' } }],
  })
  const rest = await openRest({ kubeconfig, context: 'prod' })
  return takeSnapshot({
    reader: clusterReader(rest),
    context: 'prod',
    ...(prometheus ? { prometheus: { query: prometheusAt(address), window: '1d' } } : {}),
  })
}

describe('a snapshot', () => {
  it('sends GET and nothing else, and asks for no Secret and no ConfigMap', async () => {
    await take(true)
    expect(new Set(asked.map(({ method }) => method))).toEqual(new Set(['GET']))
    expect(new Set(asked.map(({ path }) => path))).toEqual(new Set([...Object.keys(LISTS), '/api/v1/query']))
  })

  it('groups nodes, and measures images, load times, traffic and what the cluster has', async () => {
    const { snapshot, notes } = await take(true)
    expect(notes).toEqual([])
    expect(snapshot).toEqual({
      nodes: [
        {
          name: 'gpu',
          count: 2,
          cpu: '190',
          memory: '2016Gi',
          gpu: { product: 'NVIDIA-H100-80GB-HBM3', count: 8 },
          labels: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3', pool: 'gpu' },
          taints: [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }],
        },
        { name: 'cpu', count: 1, cpu: '190', memory: '2016Gi', labels: { pool: 'cpu' } },
      ],
      models: { chat: { loadTime: { value: '540s', range: ['500s', '700s'], measured: 'started to Ready, 3 pods' } } },
      images: { 'vllm/vllm-openai:v0.11.0': { size: { value: '9200MB', measured: 'node status' } } },
      workloads: {
        'chat-70b': {
          arrival: { rate: { value: '3.25/s', measured: 'Prometheus, over 1d' } },
          promptTokens: { mean: 900, p95: 2600 },
          outputTokens: { mean: 250, p95: 600 },
        },
      },
      cluster: {
        context: 'prod',
        priorityClasses: { serving: 1000 },
        storageClasses: ['fast'],
        autoscalers: [{ name: 'serving/chat', target: 'Deployment/chat', min: 2, max: 6, current: 3 }],
      },
    })
  })

  it('says what it may not read, and goes on', async () => {
    forbidden = '/api/v1/pods'
    const { snapshot, notes } = await take()
    expect(notes).toEqual(['/api/v1/pods: forbidden, left out'])
    expect(snapshot.nodes).toHaveLength(2)
    expect(snapshot.models).toBeUndefined()
  })

  it('is a file that holds no secret, and that Seatrial reads', async () => {
    const text = snapshotText((await take(true)).snapshot, '2026-11-21')
    expect(text).toMatch(/^# Measured by «seatrial snapshot» on 2026-11-21, context prod/)
    expect(text).not.toMatch(/hunter2|secret-token/)
    const { config, errors } = parseConfig({ file: 'seatrial.snapshot.yaml', text }, LIMITS)
    expect(errors).toEqual([])
    expect(config?.models?.['chat']?.loadTime).toMatchObject({ value: 540e6, range: [500e6, 700e6] })
  })

  it('keeps what only the one before knew', async () => {
    const earlier = 'models:\n  titles: { loadTime: 95s }\n  chat: { loadTime: 1s }\nnodes: [{ count: 9 }]\n'
    const { config } = parseConfig(
      { file: 's', text: snapshotText((await take()).snapshot, '2026-11-21', earlier) },
      LIMITS,
    )
    expect(config?.models?.['titles']?.loadTime?.value).toBe(95e6)
    expect(config?.models?.['chat']?.loadTime?.value).toBe(540e6)
    expect(config?.nodes?.map(({ count }) => count)).toEqual([2, 1])
  })

  it('that cannot reach Prometheus says so', async () => {
    await expect(prometheusAt('http://127.0.0.1:9')('up')).rejects.toThrow(PrometheusError)
  })
})

it('seatrial.yaml goes before a snapshot, setting by setting', () => {
  const read = (file: string, text: string) => parseConfig({ file, text }, LIMITS).config
  const own = read('seatrial.yaml', 'models: { chat: { imageSize: 9GB } }\nregistry: { bandwidth: 1GB/s }\n')
  const measured = read(
    's.yaml',
    'models: { chat: { imageSize: 1GB, loadTime: 540s } }\nnodes: [{ count: 2 }]\nregistry: { bandwidth: 2GB/s }\n',
  )
  const merged = withSnapshot(own, measured)!
  expect(merged.models?.['chat']).toMatchObject({ imageSize: { value: 9e9 }, loadTime: { value: 540e6 } })
  expect(merged.registry?.bandwidth?.value).toBe(1e9)
  expect(merged.measured).toEqual(['["nodes"]', '["models","chat","loadTime"]'])
})
