import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findVllmServers } from '../inference-servers.ts'
import { describeMonitoring, monitoringOf, wantedMetrics } from './monitoring.ts'
import { targetsAt, targetsOf } from './targets.ts'
import { hpa, platformOf, prometheusTrigger, SERVICE_MONITOR, scaledObject, shortly } from './testkit.ts'

const ADDRESS = 'http://prometheus-operated.monitoring.svc:9090'
const keda = (query: string, address = ADDRESS) => scaledObject(prometheusTrigger(query, address))
const WAITING = keda('sum(vllm:num_requests_waiting)')
const CPU = hpa('    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}')

const prometheusObject = (name: string, selector: string) =>
  `apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: ${name}, namespace: monitoring}\nspec: {serviceMonitorSelector: ${selector}, serviceMonitorNamespaceSelector: {}, ruleSelector: {matchLabels: {team: ml}}, ruleNamespaceSelector: {}}`

const FILE = `apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus-server, namespace: web}
data:
  prometheus.yml: |
    scrape_configs:
    - job_name: vllm
      kubernetes_sd_configs: [{role: pod}]
      relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_label_app], action: keep, regex: chat}
      - {source_labels: [__meta_kubernetes_pod_container_port_number], action: keep, regex: 8000}
  rules.yml: |
    groups: [{name: g, rules: [{record: 'llm:queue', expr: 'sum(vllm:num_requests_waiting)'}, {record: 'llm:other', expr: 'sum(up)'}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: prometheus-server, namespace: web}
spec:
  selector: {matchLabels: {app: prom}}
  template:
    metadata: {labels: {app: prom}}
    spec:
      containers: [{name: p, image: prom/prometheus}]
      volumes: [{name: config, configMap: {name: prometheus-server}}]
---
apiVersion: v1
kind: Service
metadata: {name: prom, namespace: web}
spec: {selector: {app: prom}, ports: [{port: 80}]}`

describe('which Prometheus runs', () => {
  test('none where nobody asks one, and metrics-server is taken on trust', async () => {
    const { options, taken } = describeMonitoring(await platformOf([CPU, SERVICE_MONITOR]))
    expect(options).toEqual({ metricsServer: true, prometheus: [], keda: false })
    expect(taken).toEqual(['metrics-server runs in the cluster'])
    expect(describeMonitoring(await platformOf([])).taken).toEqual([])
  })

  test("the operator's, elsewhere, where there are only monitors", async () => {
    const { options, taken } = describeMonitoring(await platformOf([WAITING, SERVICE_MONITOR]))
    expect(options.prometheus).toMatchObject([{ addresses: 'any', source: { kind: 'operator' }, jobs: [], rules: [] }])
    expect(options.keda).toBe(true)
    expect(taken).toHaveLength(2)
  })

  test('the one an object declares, with what it selects alone', async () => {
    const selecting = await platformOf([WAITING, SERVICE_MONITOR, prometheusObject('k8s', '{}')])
    expect(monitoringOf(selecting).prometheus).toMatchObject([
      { addresses: 'any', source: { kind: 'operator', object: { metadata: { name: 'k8s' } } } },
    ])
    expect(shortly(selecting)).toEqual([])
    const not = await platformOf([WAITING, SERVICE_MONITOR, prometheusObject('k8s', '{matchLabels: {release: other}}')])
    expect(shortly(not)).toEqual(['miswired: vllm:num_requests_waiting'])
  })

  test('of several, each by the Services in front of it', async () => {
    const both = [FILE, prometheusObject('k8s', '{}'), SERVICE_MONITOR]
    const ask = `${prometheusTrigger('sum(vllm:num_requests_waiting)', ADDRESS)}\n${prometheusTrigger('llm:queue', 'http://prom.web')}`
    const platform = await platformOf([...both, scaledObject(ask)])
    expect(monitoringOf(platform).prometheus.map(({ addresses, source }) => [source.kind, addresses])).toEqual([
      ['file', ['http://prom.web']],
      ['operator', [ADDRESS]],
    ])
    expect(shortly(platform)).toEqual([])
    const nowhere = await platformOf([...both, keda('sum(vllm:num_requests_waiting)', 'http://thanos.web:9090')])
    expect(shortly(nowhere)).toEqual(['undeclared: http://thanos.web:9090'])
  })
})

describe('rules and names', () => {
  test('only recording rules that are asked for, from the file or the selected objects', async () => {
    const file = monitoringOf(await platformOf([FILE, keda('llm:queue')])).prometheus[0]!
    expect(file.rules.flatMap(({ rules }) => rules)).toMatchObject([{ record: 'llm:queue' }])
    expect(file.wanted).toEqual(new Set(['llm:queue', 'vllm:num_requests_waiting']))
    const rule = (labels: string) =>
      `apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: r, namespace: llm, labels: {${labels}}}\nspec: {groups: [{name: g, rules: [{record: 'llm:queue', expr: 'sum(vllm:num_requests_waiting)'}]}]}`
    const selected = async (labels: string) =>
      monitoringOf(await platformOf([keda('llm:queue'), SERVICE_MONITOR, prometheusObject('k8s', '{}'), rule(labels)]))
    expect((await selected('team: ml')).prometheus[0]!.rules).toHaveLength(1)
    expect((await selected('team: web')).prometheus[0]!.rules).toHaveLength(0)
  })

  test('wanted are histograms by the names of their samples, and all where a pattern asks', async () => {
    const wanted = async (query: string) => wantedMetrics(await platformOf([keda(query), SERVICE_MONITOR]))
    expect(
      await wanted(
        'histogram_quantile(0.9, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[5m]))) * on () group_left () max_over_time(sum(vllm:num_requests_running)[5m:30s])',
      ),
    ).toEqual(new Set(['vllm:time_to_first_token_seconds_bucket', 'vllm:num_requests_running']))
    expect(await wanted('sum({__name__=~"vllm:num_requests_waiting|vllm:num_requests_running"})')).toEqual(
      new Set(['vllm:num_requests_waiting', 'vllm:num_requests_running']),
    )
    expect(await wanted('count({__name__=~"vllm:.+"})')).toBe('all')
    expect(await wanted('count({app="chat"})')).toBe('all')
    expect(await wanted('sum(')).toEqual(new Set())
  })

  test('rules that cannot be loaded are told', async () => {
    const rule =
      'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: r, namespace: llm}\nspec: {groups: [{name: g, rules: [{record: a, expr: "sum("}]}]}'
    const platform = await platformOf([WAITING, SERVICE_MONITOR, rule])
    expect(describeMonitoring(platform).problems).toMatchObject([
      { unsupported: false, object: { id: 'PrometheusRule/llm/r' } },
    ])
  })
})

describe('seatrial.yaml', () => {
  const CONFIG = `metrics:
  prometheus:
    annotations: true
    interval: 20s
    scrapes: [{ selector: { app.kubernetes.io/name: chat }, port: http, path: /m, interval: 5s }]
    exporters: [kube-state-metrics, dcgm]
  adapter: { rules: [{ seriesQuery: 'up', resources: { template: "<<.Resource>>" }, metricsQuery: 'sum(<<.Series>>)' }], relistInterval: 30s }`

  test('makes the jobs of a Prometheus outside the manifests', async () => {
    const { prometheus, adapter } = monitoringOf(await platformOf([CPU], { config: CONFIG }))
    expect(adapter).toMatchObject({ relistIntervalUs: 30e6, config: { rules: [{ seriesQuery: 'up' }] } })
    const jobs = prometheus[0]!.jobs.map(({ jobName, intervalUs, timeoutUs }) => [
      jobName,
      intervalUs / 1e6,
      timeoutUs / 1e6,
    ])
    expect(jobs).toEqual([
      ['kubernetes-service-endpoints', 20, 10],
      ['kubernetes-pods', 20, 10],
      ['seatrial.yaml/0', 5, 5],
      ['kube-state-metrics', 20, 10],
      ['nvidia-dcgm-exporter', 20, 10],
    ])
    expect(prometheus[0]!.wanted).toEqual(new Set(['up']))
  })

  test('as the reference shows it is read', async () => {
    const page = readFileSync(new URL('../../../../docs/reference/seatrial-yaml.md', import.meta.url), 'utf8')
    const block = /^```yaml metrics\n(.*?)^```$/ms.exec(page)![1]!
    const config = `metrics:\n${block.replace(/^(?=.)/gm, '  ')}`
    const pods = hpa(
      '    - {type: Pods, pods: {metric: {name: vllm_num_requests}, target: {type: AverageValue, averageValue: "5"}}}',
    )
    expect(shortly(await platformOf([pods], { config }))).toEqual([])
  })

  test('is refused with its place where it is wrong', async () => {
    for (const [text, message] of [
      ['metrics: {prometheus: {exporter: [dcgm]}}', 'unknown setting "metrics.prometheus.exporter"'],
      ['metrics: {prometheus: {exporters: [gpu]}}', 'must be one of kube-state-metrics, cadvisor, dcgm'],
      ['metrics: {prometheus: {interval: -5s}}', 'metrics.prometheus.interval'],
      ['metrics: {prometheus: {scrapes: [{port: 8000}]}}', 'metrics.prometheus.scrapes[0].selector'],
    ] as const)
      await expect(platformOf([CPU], { config: text })).rejects.toThrow(message)
  })

  test('an adapter it would not start with is told', async () => {
    const config = `metrics: {adapter: {rules: [{seriesQuery: up, seriesFilters: [{is: a, isNot: b}]}]}}`
    const { problems, options } = describeMonitoring(await platformOf([CPU], { config }))
    expect(options.adapter).toBeUndefined()
    expect(problems[0]!.message).toContain('cannot have both')
  })
})

test('annotations on pods are taken for a Prometheus that looks at them, at the port they say', async () => {
  const annotated = (port: string) =>
    `apiVersion: v1\nkind: Service\nmetadata: {name: m, namespace: llm, annotations: {prometheus.io/scrape: "true", prometheus.io/port: "${port}"}}\nspec: {selector: {app: chat}, ports: [{port: 8000}]}`
  const platform = await platformOf([WAITING, annotated('8000')])
  const { options, taken } = describeMonitoring(platform)
  expect(taken.join()).toContain('prometheus.io/scrape')
  const [target] = targetsAt(targetsOf(platform, options.prometheus[0]!), findVllmServers(platform)[0]!, 8000)
  expect(target!.labels).toEqual({
    instance: expect.stringMatching(/:8000$/),
    job: 'kubernetes-service-endpoints',
    namespace: 'llm',
    node: 'node',
    service: 'm',
  })
  expect(shortly(await platformOf([WAITING, annotated('9000')]))).toEqual(['undeclared: vllm:num_requests_waiting'])
})

test('what a tier is told crosses threads', async () => {
  const platform = await platformOf([WAITING, SERVICE_MONITOR, FILE], {
    config: 'metrics: {prometheus: {annotations: true}}',
  })
  const options = monitoringOf(platform)
  expect(structuredClone(options)).toEqual(options)
})

test("the adapter's own container says how often it lists", async () => {
  const adapter = (args: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: adapter, namespace: monitoring}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: a, image: registry.k8s.io/prometheus-adapter/prometheus-adapter:v0.12.0, args: [${args}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: adapter, namespace: monitoring}
data: {config.yaml: "rules: [{seriesQuery: up, resources: {template: '<<.Resource>>'}, metricsQuery: 'sum(<<.Series>>)'}]\\n"}`
  const relist = async (args: string) => monitoringOf(await platformOf([adapter(args)])).adapter!.relistIntervalUs
  expect(await relist('--metrics-relist-interval=1m')).toBe(60e6)
  expect(await relist('--v=4')).toBeUndefined()
})

test('a selector that is null is one that is not there', async () => {
  const told = async (selector: string) =>
    shortly(
      await platformOf([
        keda('sum(vllm:num_requests_waiting)', 'http://a.monitoring:9090'),
        SERVICE_MONITOR,
        prometheusObject('a', selector),
      ]),
    )
  expect(await told('null')).toEqual(['miswired: vllm:num_requests_waiting'])
})

test('no shape of a ScaledObject, a monitor or a Prometheus makes it fall over', async () => {
  const part = fc.oneof(
    fc.constantFrom(null, 3, true, 'sum(vllm:num_requests_waiting)', 'prometheus', 'cpu', [], {}, [null], [[]]),
    fc.dictionary(
      fc.constantFrom('type', 'metadata', 'query', 'serverAddress', 'name', 'value'),
      fc.constantFrom<unknown>(null, 'prometheus', 'cpu', 7, { serverAddress: 9090, query: 5 }, []),
      { maxKeys: 4 },
    ),
  )
  const spec = fc.record(
    Object.fromEntries(
      [
        ...['triggers', 'metrics', 'advanced', 'minReplicaCount', 'maxReplicaCount', 'idleReplicaCount', 'selector'],
        ...['endpoints', 'groups', 'ruleSelector', 'serviceMonitorSelector', 'namespaceSelector'],
      ].map((field) => [field, fc.oneof(part, fc.array(part, { maxLength: 2 }))]),
    ),
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(spec, fc.constant(null)), { minLength: 4, maxLength: 4 }), async (specs) => {
      const kinds = [
        'keda.sh/v1alpha1 ScaledObject',
        'monitoring.coreos.com/v1 ServiceMonitor',
        'monitoring.coreos.com/v1 Prometheus',
        'monitoring.coreos.com/v1 PrometheusRule',
      ]
      const objects = kinds.map((text, i) => {
        const [apiVersion, kind] = text.split(' ')
        const scaled =
          specs[i] && kind === 'ScaledObject' ? { ...specs[i], scaleTargetRef: { name: 'chat' } } : specs[i]
        return JSON.stringify({ apiVersion, kind, metadata: { name: 'x', namespace: 'llm' }, spec: scaled })
      })
      const platform = await platformOf([...objects, WAITING])
      expect(Array.isArray(shortly(platform))).toBe(true)
    }),
    { numRuns: 100 },
  )
})
