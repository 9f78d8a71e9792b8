import { describe, expect, test } from 'vitest'
import { findingsOf, hpa, platformOf, prometheusTrigger, SERVICE_MONITOR, scaledObject, shortly } from './testkit.ts'

const WAITING = scaledObject(prometheusTrigger('sum(vllm:num_requests_waiting{namespace="llm"})'))

describe('KEDA on a metric of vLLM', () => {
  test('is in order where a monitor selects the server', async () => {
    expect(await shortly(await platformOf([WAITING, SERVICE_MONITOR]))).toEqual([])
  })

  test('without a Prometheus is undeclared, at the address', async () => {
    const [finding, ...others] = findingsOf(await platformOf([WAITING]))
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      kind: 'undeclared',
      what: 'http://prometheus-operated.monitoring.svc.cluster.local:9090',
      blocks: true,
    })
    expect(finding!.fix).toContain('metrics.prometheus')
    expect(finding!.source.path).toBe('spec.triggers[0].metadata.serverAddress')
    expect(finding!.source.absent).toBeUndefined()
  })

  test.each([
    ['another label', 'app: chat}}\n  namespaceSelector', 'app: other}}\n  namespaceSelector'],
    ['another path', 'path: /metrics', 'path: /stats'],
  ])('a monitor that misses the server by %s leaves the metric undeclared', async (_what, from, to) => {
    expect(SERVICE_MONITOR).toContain(from)
    const platform = await platformOf([WAITING, SERVICE_MONITOR.replace(from, to)])
    expect(shortly(platform)).toEqual(['undeclared: vllm:num_requests_waiting'])
    expect(findingsOf(platform)[0]!.why).toContain('nothing scrapes Deployment/llm/chat at port 8000')
  })

  test.each([
    [
      'another namespace',
      'matchNames: [llm]',
      'matchNames: [web]',
      'spec.namespaceSelector',
      { matchNames: ['web', 'llm'] },
    ],
    ['another port', 'port: service-port', 'port: metrics', 'spec.endpoints[0].port', 'service-port'],
  ])(
    'a monitor that is meant for the server and names %s is told, and does not block',
    async (_what, from, to, path, value) => {
      const platform = await platformOf([WAITING, SERVICE_MONITOR.replace(from, to)])
      expect(shortly(platform)).toEqual(['miswired: vllm:num_requests_waiting'])
      const [finding] = findingsOf(platform)
      expect(finding).toMatchObject({ blocks: false, mend: { value } })
      expect([finding!.object.manifest.kind, finding!.source.path]).toEqual(['ServiceMonitor', path])
    },
  )

  test('a monitor with Services of its own where it looks means those', async () => {
    const other =
      'apiVersion: v1\nkind: Service\nmetadata: {name: chat, namespace: web, labels: {app: chat}}\nspec: {selector: {app: x}, ports: [{name: service-port, port: 80}]}'
    const platform = await platformOf([
      WAITING,
      SERVICE_MONITOR.replace('matchNames: [llm]', 'matchNames: [web]'),
      other,
    ])
    expect(shortly(platform)).toEqual(['undeclared: vllm:num_requests_waiting'])
  })

  test('a Service without the labels that a monitor selects is told, where its pods have them', async () => {
    const monitor = SERVICE_MONITOR.replace('app: chat}}', 'model: llama3-8b}}')
    const [finding] = findingsOf(await platformOf([WAITING, monitor]))
    expect(finding).toMatchObject({ kind: 'miswired', mend: { value: { model: 'llama3-8b' } } })
    expect(finding!.object.manifest.kind).toBe('Service')
  })

  test('a PodMonitor, annotations and scrapes of seatrial.yaml do as well', async () => {
    const podMonitor =
      'apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: p, namespace: llm}\nspec: {selector: {matchLabels: {model: llama3-8b}}, podMetricsEndpoints: [{port: container-port}]}'
    expect(shortly(await platformOf([WAITING, podMonitor]))).toEqual([])
    const annotated =
      'apiVersion: v1\nkind: Service\nmetadata: {name: m, namespace: llm, annotations: {prometheus.io/scrape: "true", prometheus.io/port: "8000"}}\nspec: {selector: {app: chat}, ports: [{port: 8000}]}'
    expect(shortly(await platformOf([WAITING, annotated]))).toEqual([])
    const scrapes = (port: string) =>
      `metrics: {prometheus: {scrapes: [{selector: {app: chat}, port: ${port}, interval: 15s}]}}`
    expect(shortly(await platformOf([WAITING], { config: scrapes('container-port') }))).toEqual([])
    expect(shortly(await platformOf([WAITING], { config: scrapes('8000') }))).toEqual([])
    expect(shortly(await platformOf([WAITING], { config: scrapes('9000') }))).toEqual([
      'undeclared: vllm:num_requests_waiting',
    ])
  })

  test('metric relabelling that drops it is told', async () => {
    const drops = SERVICE_MONITOR.replace(
      'interval: 15s}',
      'interval: 15s, metricRelabelings: [{action: drop, sourceLabels: [__name__], regex: "vllm:num_.*"}]}',
    )
    expect(findingsOf(await platformOf([WAITING, drops]))[0]!.why).toContain('metric relabelling')
  })

  test("that the version does not expose is the platform's own and does not block", async () => {
    const old = scaledObject(prometheusTrigger('avg(vllm:gpu_cache_usage_perc)'))
    const [finding] = findingsOf(await platformOf([old, SERVICE_MONITOR]))
    expect(finding).toMatchObject({ kind: 'notExposed', what: 'vllm:gpu_cache_usage_perc', blocks: false })
    expect(finding!.why).toContain('vLLM 0.32.0')
    expect(shortly(await platformOf([old, SERVICE_MONITOR], { version: '0.8.5' }))).toEqual([])
    const shown = { version: '0.11.0', args: ', --show-hidden-metrics-for-version, "0.10"' }
    expect(shortly(await platformOf([old, SERVICE_MONITOR], { version: '0.11.0' }))).toHaveLength(1)
    expect(shortly(await platformOf([old, SERVICE_MONITOR], shown))).toEqual([])
  })

  test('that is not simulated, or of nobody, blocks', async () => {
    const throughput = scaledObject(prometheusTrigger('vllm:avg_generation_throughput_toks_per_s'))
    const at = { version: '0.6.6.post1' }
    expect(shortly(await platformOf([throughput, SERVICE_MONITOR], at))).toEqual([
      'notSimulated: vllm:avg_generation_throughput_toks_per_s',
    ])
    const router = scaledObject(prometheusTrigger('sum(litellm_requests_total)'))
    expect(shortly(await platformOf([router, SERVICE_MONITOR]))).toEqual(['undeclared: litellm_requests_total'])
  })
})

describe('names go through recording rules', () => {
  const rule = (expr: string) =>
    `apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: r, namespace: llm}\nspec: {groups: [{name: g, rules: [{record: 'llm:queue', expr: '${expr}'}, {record: 'llm:load', expr: 'llm:queue / 2'}]}]}`
  const load = scaledObject(prometheusTrigger('max(llm:load)'))

  test('to what is scraped or is not', async () => {
    expect(shortly(await platformOf([load, rule('sum(vllm:num_requests_waiting)'), SERVICE_MONITOR]))).toEqual([])
    expect(shortly(await platformOf([load, rule('sum(DCGM_FI_DEV_GPU_UTIL)'), SERVICE_MONITOR]))).toEqual([
      'undeclared: DCGM_FI_DEV_GPU_UTIL',
    ])
    expect(shortly(await platformOf([load, SERVICE_MONITOR]))).toEqual(['undeclared: llm:load'])
  })

  test('that refer to themselves come to an end', async () => {
    expect(shortly(await platformOf([load, rule('llm:load + 1'), SERVICE_MONITOR]))).toEqual([])
  })
})

test('exporters count where seatrial.yaml or the manifests show them', async () => {
  const gpu = scaledObject(prometheusTrigger('avg(DCGM_FI_DEV_GPU_UTIL{exported_pod=~"chat.*"})'))
  const exporters = (list: string) => `metrics: {prometheus: {exporters: [${list}]}}`
  expect(shortly(await platformOf([gpu], { config: exporters('dcgm') }))).toEqual([])
  expect(shortly(await platformOf([gpu], { config: exporters('cadvisor') }))).toEqual([
    'undeclared: DCGM_FI_DEV_GPU_UTIL',
  ])
  const daemonSet =
    'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, namespace: gpu}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: e, image: nvcr.io/nvidia/k8s/dcgm-exporter:4.2.0}]}}}'
  expect(shortly(await platformOf([gpu, daemonSet, SERVICE_MONITOR]))).toEqual([])
})

describe('an HPA on a custom metric', () => {
  const pods = hpa(
    '    - {type: Pods, pods: {metric: {name: vllm_num_requests_waiting}, target: {type: AverageValue, averageValue: "5"}}}',
  )
  // in the shape of the production stack's prometheus-adapter values
  const RULE = `{seriesQuery: '{__name__=~"^vllm:num_requests_waiting$"}', resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}, name: {matches: "", as: vllm_num_requests_waiting}, metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'}`

  test('without an adapter, or without a rule of that name, is undeclared', async () => {
    const [finding] = findingsOf(await platformOf([pods, SERVICE_MONITOR]))
    expect(finding).toMatchObject({ kind: 'undeclared', what: 'vllm_num_requests_waiting' })
    expect(finding!.why).toContain('nothing among the manifests serves custom.metrics.k8s.io')
    const config = `metrics: {adapter: {rules: [${RULE.replace('as: vllm_num_requests_waiting', 'as: queue')}]}}`
    expect(findingsOf(await platformOf([pods, SERVICE_MONITOR], { config }))[0]!.why).toContain('no rule')
  })

  test('is in order with a rule in seatrial.yaml, as list or as Helm values', async () => {
    for (const rules of [`[${RULE}]`, `{default: true, custom: [${RULE}]}`]) {
      const config = `metrics: {adapter: {rules: ${rules}}}`
      expect(shortly(await platformOf([pods, SERVICE_MONITOR], { config }))).toEqual([])
      expect(shortly(await platformOf([pods], { config }))).toEqual(['undeclared: vllm_num_requests_waiting'])
    }
  })

  test('is in order with a rule in a ConfigMap, also one whose pattern makes the name', async () => {
    const configMap = (rule: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: adapter-config, namespace: monitoring}\ndata:\n  config.yaml: |\n    rules:\n    - ${rule}`
    const pattern = `{seriesQuery: '{__name__=~"^vllm:.*",namespace!=""}', resources: {template: "<<.Resource>>"}, name: {matches: "^vllm:(.*)$", as: "vllm_\${1}"}, metricsQuery: 'avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'}`
    expect(shortly(await platformOf([pods, SERVICE_MONITOR, configMap(RULE)]))).toEqual([])
    expect(shortly(await platformOf([pods, SERVICE_MONITOR, configMap(pattern)]))).toEqual([])
  })

  test("a rule over what the version does not expose is the platform's own", async () => {
    const usage = pods.replace('vllm_num_requests_waiting', 'usage')
    const rule = `{seriesQuery: 'vllm:gpu_cache_usage_perc', resources: {template: "<<.Resource>>"}, name: {as: usage}, metricsQuery: 'avg(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'}`
    const config = `metrics: {adapter: {rules: [${rule}]}}`
    expect(shortly(await platformOf([usage, SERVICE_MONITOR], { config }))).toEqual([
      'notExposed: vllm:gpu_cache_usage_perc',
    ])
  })

  test('an Object metric of the namespace, whose query names its series itself', async () => {
    const object = hpa(
      '    - {type: Object, object: {metric: {name: vllm_queue}, describedObject: {apiVersion: v1, kind: Namespace, name: llm}, target: {type: Value, value: "1"}}}',
    )
    const rule = (query: string) =>
      `{seriesQuery: '{__name__=~"^vllm:num_requests_waiting$"}', resources: {overrides: {namespace: {resource: namespace}}}, name: {matches: "", as: vllm_queue}, metricsQuery: '${query}'}`
    const found = async (query: string) =>
      shortly(
        await platformOf([object, SERVICE_MONITOR], {
          config: `metrics: {adapter: {rules: {custom: [${rule(query)}]}}}`,
        }),
      )
    expect(await found('sum by(namespace) (vllm:num_requests_waiting)')).toEqual([])
    expect(await found('sum by(namespace) (vllm:num_requests_swapped)')).toEqual([
      'notExposed: vllm:num_requests_swapped',
    ])
    expect(await found('histogram_fraction(0, 1, vllm:num_requests_waiting)')).toEqual([
      'unsupported: vllm_queue: histogram_fraction(0, 1, vllm:num_requests_waiting)',
    ])
  })

  test('external metrics need external rules', async () => {
    const external = hpa(
      '    - {type: External, external: {metric: {name: vllm_queue}, target: {type: Value, value: "5"}}}',
    )
    const rule = `{seriesQuery: 'vllm:num_requests_waiting', resources: {namespaced: false}, name: {as: vllm_queue}, metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>})'}`
    const config = (list: string) => `metrics: {adapter: {${list}: [${rule}]}}`
    expect(shortly(await platformOf([external, SERVICE_MONITOR], { config: config('externalRules') }))).toEqual([])
    expect(shortly(await platformOf([external, SERVICE_MONITOR], { config: config('rules') }))).toEqual([
      'undeclared: vllm_queue',
    ])
  })
})

describe('what is refused by name', () => {
  test('metrics and Prometheus servers of clouds, unless something stands for them', async () => {
    const name = 'prometheus.googleapis.com|vllm:num_requests_waiting|gauge'
    const gke = hpa(
      `    - {type: Pods, pods: {metric: {name: "${name}"}, target: {type: AverageValue, averageValue: "10"}}}`,
    )
    const [finding] = findingsOf(await platformOf([gke]))
    expect(finding).toMatchObject({ kind: 'unsupported', what: name, blocks: true })
    expect(finding!.fix).toContain('metrics.adapter')
    const rule = `{seriesQuery: 'vllm:num_requests_waiting', resources: {template: "<<.Resource>>"}, name: {as: "${name}"}, metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'}`
    const config = `metrics: {adapter: {rules: [${rule}]}}`
    expect(shortly(await platformOf([gke, SERVICE_MONITOR], { config }))).toEqual([])
    for (const address of [
      'https://monitoring.googleapis.com/v1/projects/p/location/global/prometheus',
      'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1',
      'https://w.westeurope.prometheus.monitor.azure.com',
    ]) {
      const keda = scaledObject(prometheusTrigger('sum(vllm:num_requests_waiting)', address))
      expect(shortly(await platformOf([keda, SERVICE_MONITOR]))).toEqual([`unsupported: ${address}`])
    }
  })

  test('triggers, their fields, and PromQL', async () => {
    const triggers = `    - {type: aws-cloudwatch, metadata: {namespace: AWS/SQS}}
${prometheusTrigger('histogram_fraction(0, 1, vllm:num_requests_waiting)')}
        namespace: tenant`
    expect(shortly(await platformOf([scaledObject(triggers), SERVICE_MONITOR]))).toEqual([
      'unsupported: trigger aws-cloudwatch',
      'unsupported: histogram_fraction(0, 1, vllm:num_requests_waiting)',
      'unsupported: trigger prometheus with metadata.namespace',
    ])
  })

  test('not a query that Prometheus itself refuses', async () => {
    expect(shortly(await platformOf([scaledObject(prometheusTrigger('sum(rate(x)')), SERVICE_MONITOR]))).toEqual([])
  })
})

test('metrics-server is taken on trust unless seatrial.yaml says there is none', async () => {
  const cpu = hpa('    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}')
  expect(shortly(await platformOf([cpu]))).toEqual([])
  expect(shortly(await platformOf([cpu], { config: 'metrics: {metricsServer: false}' }))).toEqual([
    'undeclared: resource cpu',
  ])
})

test('two autoscalers of one workload are ambiguous, and that is real', async () => {
  const cpu = hpa('    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}')
  const [finding] = findingsOf(await platformOf([WAITING, SERVICE_MONITOR, cpu]))
  expect(finding).toMatchObject({ kind: 'ambiguous', what: 'HorizontalPodAutoscaler/llm/chat', blocks: false })
})
