import { describe, expect, it } from 'vitest'
import { seconds } from '../../world/time.ts'
import { operatorSource, type PrometheusObject } from './config-source.ts'
import type { ScrapeConfigObject } from './scrape-objects.ts'
import { answer, gauge, scrapeWorld } from './test-kit.ts'

const scrapeConfig = (spec: ScrapeConfigObject['spec'], labels: Record<string, string> = {}) => ({
  apiVersion: 'monitoring.coreos.com/v1alpha1',
  kind: 'ScrapeConfig',
  metadata: { name: 'vllm', namespace: 'default', labels },
  spec,
})

const keepWeb = [
  { action: 'keep', sourceLabels: ['__meta_kubernetes_pod_label_app'], regex: 'web' },
  { sourceLabels: ['__meta_kubernetes_pod_name'], targetLabel: 'pod' },
]

describe('a ScrapeConfig of prometheus-operator', () => {
  it('scrapes what Kubernetes discovery and its relabelling leave, under the name the operator gives the job', () => {
    const w = scrapeWorld()
    w.pod('a', '10.0.0.1')
    w.pod('b', '10.0.0.2', { labels: { app: 'other' } })
    w.answers.set('10.0.0.1:8000/metrics', () => answer(gauge('up_to', { '': 3 })))
    w.create(scrapeConfig({ kubernetesSDConfigs: [{ role: 'Pod' }], scrapeInterval: '5s', relabelings: keepWeb }))
    w.prometheus(operatorSource(w.kube)).start()
    w.at(30)
    expect(new Set(w.asked.map(({ address }) => address))).toEqual(new Set(['10.0.0.1:8000']))
    expect(w.series('up_to').map(({ labels }) => labels)).toEqual([
      { instance: '10.0.0.1:8000', job: 'scrapeConfig/default/vllm', pod: 'a' },
    ])
  })

  it('scrapes static targets with their labels; jobName is the job', () => {
    const w = scrapeWorld()
    w.answers.set('vllm.default.svc:8000/stats', () => answer(gauge('x', { '': 1 })))
    const staticConfigs = [{ targets: ['vllm.default.svc:8000'], labels: { team: 'a' } }]
    w.create(scrapeConfig({ staticConfigs, jobName: 'vllm', metricsPath: '/stats', scrapeInterval: '10s' }))
    w.prometheus(operatorSource(w.kube)).start()
    w.at(30)
    expect(w.series('x')[0]!.labels).toEqual({ instance: 'vllm.default.svc:8000', job: 'vllm', team: 'a' })
  })

  it('has the defaults of its Prometheus, which must select it', () => {
    const w = scrapeWorld()
    w.create(scrapeConfig({ staticConfigs: [{ targets: ['a:1'] }] }, { team: 'a' }))
    const under = (spec: PrometheusObject['spec']) =>
      operatorSource(w.kube, {
        ...{ apiVersion: 'monitoring.coreos.com/v1', kind: 'Prometheus' },
        metadata: { name: 'p', namespace: 'default' },
        spec,
      } as PrometheusObject)
        .read()
        .configs.map(({ intervalUs }) => intervalUs)
    expect(under({ scrapeInterval: '20s' })).toEqual([])
    expect(under({ scrapeConfigSelector: {}, scrapeInterval: '20s' })).toEqual([seconds(20)])
    expect(under({ scrapeConfigSelector: { matchLabels: { team: 'b' } } })).toEqual([])
  })

  it('names what is not simulated, and what the operator rejects', () => {
    const w = scrapeWorld()
    w.create(
      scrapeConfig({
        consulSDConfigs: [{ server: 'x' }],
        kubernetesSDConfigs: [{ role: 'Ingress' }, { role: 'Pod', selectors: [{ role: 'Pod' }] }],
        tlsConfig: {},
      }),
    )
    expect(operatorSource(w.kube).read().unmodelled).toEqual([
      { where: 'ScrapeConfig default/vllm', what: 'consulSDConfigs' },
      { where: 'ScrapeConfig default/vllm', what: 'kubernetesSDConfigs role Ingress' },
      { where: 'ScrapeConfig default/vllm', what: 'kubernetesSDConfigs selectors' },
    ])
    const bad = scrapeWorld()
    bad.create(scrapeConfig({ staticConfigs: [{ targets: ['a:1'] }], scrapeInterval: '5s', scrapeTimeout: '9s' }))
    expect(operatorSource(bad.kube).read()).toEqual({
      configs: [],
      unmodelled: [
        {
          where: 'ScrapeConfig default/vllm',
          what: 'prometheus-operator rejects it: scrapeTimeout "9s" greater than scrapeInterval',
        },
      ],
    })
  })
})
