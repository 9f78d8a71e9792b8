import { describe, expect, it } from 'vitest'
import { Pod } from '../../kube/kinds.ts'
import { ms, seconds } from '../../world/time.ts'
import { fixedSource, operatorSource } from './config-source.ts'
import { parsePrometheusYml } from './prometheus-yml.ts'
import { answer, gauge, podMonitor, scrapeWorld } from './test-kit.ts'

const jobs = (text: string) => fixedSource(parsePrometheusYml(text).scrapes)
const STATIC = `
global: {scrape_interval: 10s, scrape_timeout: 4s}
scrape_configs:
- job_name: a
  static_configs: [{targets: ['1.1.1.1:80'], labels: {team: x}}]`

describe('scraping', () => {
  it('is in an even rhythm, with the labels of the target, and reports on itself', () => {
    const w = scrapeWorld()
    w.answers.set('1.1.1.1:80/metrics', () => answer(gauge('m', { '': 5 }), gauge('n', { x: 1, y: 2 })))
    w.prometheus(jobs(STATIC))
    w.at(60)
    const [m] = w.series('m')
    expect(m!.labels).toEqual({ instance: '1.1.1.1:80', job: 'a', team: 'x' })
    const times = m!.samples.map(([t]) => t)
    expect(times.length).toBeGreaterThanOrEqual(5)
    expect(new Set(times.map((t) => Math.round((t % 10) * 1000))).size).toBe(1)
    expect(w.series('n').map((s) => s.labels.a)).toEqual(['x', 'y'])
    expect(w.series('up')[0]!.samples.map(([, v]) => v)).toEqual(times.map(() => 1))
    expect(w.series('scrape_samples_scraped')[0]!.samples[0]![1]).toBe(3)
    expect(w.series('scrape_duration_seconds')[0]!.samples[0]![1]).toBe(0.002)
    expect(
      w
        .series('scrape_series_added')[0]!
        .samples.slice(0, 2)
        .map(([, v]) => v),
    ).toEqual([3, 0])
  })

  it('that fails gives up 0 at once or after the timeout, and marks all series stale', () => {
    const w = scrapeWorld()
    let now = answer(gauge('m', { '': 5 }))
    w.answers.set('1.1.1.1:80/metrics', () => now)
    w.prometheus(jobs(STATIC))
    w.at(30)
    now = { kind: 'error', message: 'refused', afterUs: ms(1) }
    w.at(40)
    now = { kind: 'hang' }
    w.at(50)
    now = answer(gauge('m', { '': 6 }))
    w.at(60)
    expect(
      w
        .series('m')[0]!
        .samples.map(([, v]) => v)
        .slice(-3),
    ).toEqual([5, 'x', 6])
    const ups = w.series('up')[0]!.samples
    expect(ups.map(([, v]) => v).slice(-3)).toEqual([0, 0, 1])
    expect(
      w
        .series('scrape_duration_seconds')[0]!
        .samples.map(([, v]) => v)
        .slice(-3),
    ).toEqual([0.001, 4, 0.002])
  })

  it('marks a series stale that the exposition no longer has, and takes it up again', () => {
    const w = scrapeWorld()
    let values: Record<string, number> = { x: 1, y: 2 }
    w.answers.set('1.1.1.1:80/metrics', () => answer(gauge('m', values)))
    w.prometheus(jobs(STATIC))
    w.at(30)
    values = { y: 3 }
    w.at(40)
    values = { x: 4, y: 3 }
    w.at(50)
    const [x, y] = w.series('m')
    expect(x!.samples.map(([, v]) => v).slice(-3)).toEqual([1, 'x', 4])
    expect(y!.samples.map(([, v]) => v).slice(-3)).toEqual([2, 3, 3])
  })

  it('stores only what somebody wants, before and after relabelling', () => {
    const w = scrapeWorld()
    w.answers.set('1.1.1.1:80/metrics', () =>
      answer(gauge('m', { '': 1 }), gauge('n', { '': 2 }), gauge('up', { '': 3 })),
    )
    w.prometheus(jobs(STATIC), new Set(['n']))
    w.at(30)
    expect(w.series('n')).toHaveLength(1)
    expect([...w.series('m'), ...w.series('up')]).toEqual([])
    const r = scrapeWorld()
    r.answers.set('1.1.1.1:80/metrics', () => answer(gauge('vllm:x', { '': 1 })))
    const rename = `${STATIC}
  metric_relabel_configs: [{source_labels: [__name__], regex: 'vllm:(.*)', target_label: __name__, replacement: 'vllm_$1'}]`
    r.prometheus(jobs(rename), new Set(['vllm_x']))
    r.at(30)
    expect(r.series('vllm_x')).toHaveLength(1)
    expect(r.series('vllm:x')).toEqual([])
  })

  it('lets target labels win over exposed ones, which become exported_, unless labels are honoured', () => {
    const w = scrapeWorld()
    w.answers.set('1.1.1.1:80/metrics', () => answer(gauge('m', { mine: 1 }, 'team')))
    w.prometheus(jobs(STATIC))
    w.at(20)
    expect(w.series('m')[0]!.labels).toMatchObject({ team: 'x', exported_team: 'mine' })
    const h = scrapeWorld()
    h.answers.set('1.1.1.1:80/metrics', () => answer(gauge('m', { mine: 1 }, 'team')))
    h.prometheus(jobs(`${STATIC}\n  honor_labels: true`))
    h.at(20)
    expect(h.series('m')[0]!.labels).toEqual({ instance: '1.1.1.1:80', job: 'a', team: 'mine' })
  })
})

describe('discovery', () => {
  it('finds pods of a PodMonitor by label and port, with the operator’s labels', () => {
    const w = scrapeWorld()
    w.pod('a', '10.0.0.1')
    w.pod('b', '10.0.0.2', { labels: { app: 'other' } })
    w.pod('c', '10.0.0.3', { ports: [{ name: 'grpc', containerPort: 9000 }] })
    w.create(podMonitor({}, { path: '/m', interval: '15s' }))
    w.answers.set('10.0.0.1:8000/m', () => answer(gauge('m', { '': 1 })))
    const prometheus = w.prometheus(operatorSource(w.kube))
    w.at(40)
    expect(prometheus.targets().map((t) => [t.address, t.path, t.intervalUs, t.podKey])).toEqual([
      ['10.0.0.1:8000', '/m', seconds(15), 'default/a'],
    ])
    expect(w.series('m')[0]!.labels).toEqual({
      container: 'main',
      endpoint: 'http',
      instance: '10.0.0.1:8000',
      job: 'default/web',
      namespace: 'default',
      pod: 'a',
    })
  })

  it('finds pods behind a Service of a ServiceMonitor, ready or not, but not those that terminate', () => {
    const w = scrapeWorld()
    w.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web', team: 'blue' } },
      spec: { selector: { app: 'web' }, ports: [{ name: 'api', port: 80, targetPort: 8000 }] },
    })
    const endpoint = (name: string, ip: string, conditions: object) => ({
      addresses: [ip],
      conditions,
      nodeName: 'n1',
      targetRef: { kind: 'Pod', namespace: 'default', name },
    })
    const terminating = { ready: false, serving: true, terminating: true }
    w.create({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'api', port: 8000, protocol: 'TCP' }],
      endpoints: [
        endpoint('a', '10.0.0.1', { ready: true }),
        endpoint('b', '10.0.0.2', { ready: false }),
        endpoint('c', '10.0.0.3', terminating),
      ],
    })
    for (const [name, ip] of [
      ['a', '10.0.0.1'],
      ['b', '10.0.0.2'],
      ['c', '10.0.0.3'],
    ] as const)
      w.pod(name, ip, {
        ports: [
          { name: 'http', containerPort: 8000 },
          { name: 'metrics', containerPort: 9090 },
        ],
      })
    const monitor = (name: string, endpoints: object[]) =>
      w.create({
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'ServiceMonitor',
        metadata: { name, namespace: 'default' },
        spec: { selector: { matchLabels: { app: 'web' } }, jobLabel: 'team', targetLabels: ['team'], endpoints },
      })
    monitor('by-service-port', [{ port: 'api' }])
    monitor('by-container-port', [{ targetPort: 9090 }])
    monitor('by-wrong-port', [{ port: 'http' }])
    const prometheus = w.prometheus(operatorSource(w.kube))
    w.at(11)
    const targets = prometheus.targets()
    expect(targets.map((t) => [t.config.jobName, t.address])).toEqual([
      ['serviceMonitor/default/by-service-port/0', '10.0.0.1:8000'],
      ['serviceMonitor/default/by-service-port/0', '10.0.0.2:8000'],
      ['serviceMonitor/default/by-container-port/0', '10.0.0.1:9090'],
      ['serviceMonitor/default/by-container-port/0', '10.0.0.2:9090'],
    ])
    expect(targets[0]!.labels).toEqual({
      container: 'main',
      endpoint: 'api',
      instance: '10.0.0.1:8000',
      job: 'blue',
      namespace: 'default',
      pod: 'a',
      service: 'web',
      team: 'blue',
    })
  })

  it('by annotations follows the usual rules of a prometheus.yml', () => {
    const w = scrapeWorld()
    const annotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9100', 'prometheus.io/path': '/x' }
    w.pod('a', '10.0.0.1', { annotations })
    w.pod('b', '10.0.0.2')
    const prometheus = w.prometheus(
      jobs(`
scrape_configs:
- job_name: kubernetes-pods
  kubernetes_sd_configs: [{role: pod}]
  relabel_configs:
  - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: true}
  - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], action: replace, target_label: __metrics_path__, regex: (.+)}
  - source_labels: [__address__, __meta_kubernetes_pod_annotation_prometheus_io_port]
    action: replace
    regex: ([^:]+)(?::\\d+)?;(\\d+)
    replacement: $1:$2
    target_label: __address__
  - {action: labelmap, regex: __meta_kubernetes_pod_label_(.+)}
  - {source_labels: [__meta_kubernetes_pod_name], target_label: kubernetes_pod_name}`),
    )
    w.at(11)
    expect(prometheus.targets().map((t) => [t.address, t.path, t.labels])).toEqual([
      [
        '10.0.0.1:9100',
        '/x',
        { app: 'web', instance: '10.0.0.1:9100', job: 'kubernetes-pods', kubernetes_pod_name: 'a' },
      ],
    ])
  })

  it('takes up changes within ten seconds; a pod that is gone is stale after two more intervals', () => {
    const w = scrapeWorld()
    w.create(podMonitor({}, { interval: '10s' }))
    w.pod('a', '10.0.0.1')
    w.answers.set('10.0.0.1:8000/metrics', () => answer(gauge('m', { '': 1 })))
    const prometheus = w.prometheus(operatorSource(w.kube))
    w.at(100)
    const before = w.series('m')[0]!.samples.at(-1)![0]
    w.store.delete(Pod, 'default/a', 'test', { gracePeriodSeconds: 0 })
    w.at(110)
    expect(prometheus.targets()).toEqual([])
    w.at(200)
    const samples = w.series('m')[0]!.samples
    const [lastAt] = samples.at(-2)!
    expect(samples.at(-1)).toEqual([lastAt + 10, 'x'])
    expect(lastAt - before).toBeLessThanOrEqual(10)
    expect(w.series('up')[0]!.samples.at(-1)![1]).toBe('x')
  })

  it('of an operator with a Prometheus object keeps to its selectors', () => {
    const w = scrapeWorld()
    w.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels: { team: 'a' } } })
    w.create(podMonitor())
    const spec = (s: object) =>
      ({
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'Prometheus',
        metadata: { name: 'p', namespace: 'mon' },
        spec: s,
      }) as never
    const configs = (s: object) => operatorSource(w.kube, spec(s)).read().configs.length
    expect(configs({})).toBe(0)
    expect(configs({ podMonitorSelector: {} })).toBe(0)
    expect(configs({ podMonitorSelector: {}, podMonitorNamespaceSelector: {} })).toBe(1)
    expect(configs({ podMonitorSelector: { matchLabels: { release: 'x' } }, podMonitorNamespaceSelector: {} })).toBe(0)
    expect(configs({ podMonitorSelector: {}, podMonitorNamespaceSelector: { matchLabels: { team: 'b' } } })).toBe(0)
    expect(
      operatorSource(w.kube, spec({ shards: 2, additionalScrapeConfigs: { name: 'x' } }))
        .read()
        .unmodelled.map((u) => u.what),
    ).toEqual(['additionalScrapeConfigs', 'shards'])
  })
})
