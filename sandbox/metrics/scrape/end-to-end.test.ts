import { expect, it } from 'vitest'
import { instant } from '../../kube/lag.ts'
import { StoreKube } from '../../kube/store-kube.ts'
import { testNode, testPod } from '../../nodes/testkit.ts'
import { vllmProgram } from '../../vllm/server/program.ts'
import { resolveLine } from '../../vllm/server/test-kit.ts'
import type { VllmServer } from '../../vllm/server/vllm-server.ts'
import { seconds } from '../../world/time.ts'
import { createWorld } from '../../world/world.ts'
import { MetricsApis, metricsClient } from '../adapter/metrics-client.ts'
import { ClusterExporters } from '../exporters/cluster-exporters.ts'
import { TsdbQuerier } from '../promql/engine.ts'
import { MetricsServer } from '../resource/metrics-server.ts'
import { Tsdb } from '../tsdb/tsdb.ts'
import { operatorSource, PodMonitor } from './config-source.ts'
import { ScrapeFaultBoard } from './faults.ts'
import { podScrapes } from './network.ts'
import { Prometheus } from './prometheus.ts'

/** A vLLM pod on a real node, found by a PodMonitor, scraped over the pod network; metrics-server asks the node's kubelet. */
function world() {
  const servers: VllmServer[] = []
  const resolved = resolveLine('meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192')
  if (resolved.kind !== 'runs') throw new Error('it runs')
  const program = vllmProgram(resolved, { totalLoadUs: seconds(60) })
  const w = testNode({
    node: { gpu: { product: 'NVIDIA-H100-80GB-HBM3', memoryBytes: 81_559 * 2 ** 20, count: 1 } },
    programFor: () => ({
      name: 'vllm',
      start(context) {
        const server = program.start(context) as VllmServer
        servers.push(server)
        return server
      },
    }),
  })
  const world = createWorld({ clock: w.clock, seed: 3, journal: w.journal })
  const kubeOf = (process: string) => new StoreKube({ world, store: w.store, profile: instant, process })
  const exporters = new ClusterExporters({ world })
  exporters.add({ name: 'node-0', ip: '172.16.0.1', gpus: w.node.gpus, containerStats: () => w.node.containerStats() })
  const tsdb = new Tsdb()
  const kube = kubeOf('prometheus')
  const network = podScrapes({ network: w.network, kube, exporters: exporters.exporters, kubelets: exporters.kubelets })
  new Prometheus({ world, kube, network, appender: tsdb, source: operatorSource(kube), faults: new ScrapeFaultBoard() })
  const server = new MetricsServer({ world, kube: kubeOf('metrics-server'), kubelet: exporters.points })
  w.store.create(
    PodMonitor,
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: {}, podMetricsEndpoints: [{ port: 'http', interval: '15s' }] },
    } as never,
    'test',
  )
  w.create(
    testPod({
      containers: [
        {
          name: 'vllm',
          ports: [{ name: 'http', containerPort: 8000 }],
          resources: { limits: { 'nvidia.com/gpu': '1' } },
        },
      ],
    }),
  )
  const querier = new TsdbQuerier(tsdb)
  const value = (expr: string) => {
    const result = querier.instant(expr, w.clock.now)
    return result.type === 'vector' ? result.samples.map((s) => s.value) : result
  }
  return { ...w, world, servers, server, value }
}

it('what an engine does is what a query tells, and CPU is what metrics-server tells', () => {
  const w = world()
  w.at(50)
  // it still loads: the port refuses
  expect(w.value('up')).toEqual([0])
  w.at(120)
  expect(w.value('up{job="default/web",pod="web",container="vllm"}')).toEqual([1])
  expect(w.value('vllm:num_requests_running')).toEqual([0])
  const model = 'meta-llama/Llama-3.1-8B-Instruct'
  const observer = { firstToken() {}, finished() {}, failed() {} }
  for (let i = 0; i < 3; i++)
    w.servers[0]!.inference.submit(
      8000,
      { id: `r${i}`, model, promptTokens: 500, outputTokens: 7000, stream: true },
      observer,
    )
  w.at(150)
  expect(w.value('vllm:num_requests_running')).toEqual([3])
  const rate = (w.value('rate(vllm:generation_tokens_total[30s])') as number[])[0]!
  expect(rate).toBeGreaterThan(300)
  const apis = new MetricsApis()
  apis.serve('metrics.k8s.io', 'metrics-server', w.server)
  const client = metricsClient({ world: w.world, apis, latency: [], process: 'test' })
  let milli = 0
  w.world.spawn(
    'test',
    (function* () {
      milli = (yield* client.resource('cpu', 'default', {})).pods.get('web')!.milli
    })(),
  )
  w.at(151)
  // one core for the engine's loop, and the API server's tokens
  expect(milli).toBeGreaterThan(900)
  expect(milli).toBeLessThan(1400)
  w.servers[0]!.hang()
  w.at(210)
  // a hung engine still answers scrapes: its counters stand
  expect(w.value('up')).toEqual([1])
  expect(w.value('rate(vllm:generation_tokens_total[30s])')).toEqual([0])
})
