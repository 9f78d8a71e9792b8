import { describe, expect, it } from 'vitest'
import { ConfigMap } from '../../kube/kinds.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { seconds } from '../../world/time.ts'
import { fileSource } from './config-source.ts'
import { declaredAdapterConfigs, declaredPrometheus } from './declared.ts'
import { formatPrometheusDuration, parsePrometheusDuration } from './duration.ts'
import { parsePrometheusYml } from './prometheus-yml.ts'
import { scrapeWorld } from './test-kit.ts'

describe('prometheus.yml', () => {
  it('has Prometheus’ defaults, and those of its global part', () => {
    const [plain] = parsePrometheusYml('scrape_configs: [{job_name: a}]').scrapes
    expect([plain!.intervalUs, plain!.timeoutUs, plain!.metricsPath]).toEqual([seconds(60), seconds(10), '/metrics'])
    // a timeout is never longer than the interval
    const [short] = parsePrometheusYml('scrape_configs: [{job_name: a, scrape_interval: 5s}]').scrapes
    expect(short!.timeoutUs).toBe(seconds(5))
    const file = parsePrometheusYml(
      'global: {scrape_interval: 15s, evaluation_interval: 20s, external_labels: {c: d}}\nrule_files: [a]',
    )
    expect([file.evaluationIntervalUs, file.externalLabels, file.ruleFiles]).toEqual([seconds(20), { c: 'd' }, ['a']])
  })

  it('is refused where Prometheus refuses it', () => {
    expect(() => parsePrometheusYml('scrape_configs: [{job_name: a}, {job_name: a}]')).toThrow(
      'multiple scrape configs',
    )
    expect(() => parsePrometheusYml('scrape_configs: [{}]')).toThrow('job_name is empty')
    expect(() => parsePrometheusYml('global: {scrape_interval: soon}')).toThrow('not a valid duration string: "soon"')
    expect(() =>
      parsePrometheusYml('scrape_configs: [{job_name: a, scrape_interval: 5s, scrape_timeout: 9s}]'),
    ).toThrow('scrape timeout greater than scrape interval')
    expect(() => parsePrometheusYml('a: [')).toThrow('yaml:')
  })

  it('names what is not simulated', () => {
    const { unmodelled } = parsePrometheusYml(`
scrape_configs:
- job_name: a
  proxy_url: http://x
  tls_config: {insecure_skip_verify: true}
  ec2_sd_configs: [{}]
  kubernetes_sd_configs: [{role: ingress}, {role: pod, selectors: [{role: pod}]}]`)
    expect(unmodelled).toEqual([
      { where: 'job a', what: 'proxy_url' },
      { where: 'job a', what: 'ec2_sd_configs' },
      { where: 'job a', what: 'kubernetes_sd_configs role ingress' },
      { where: 'job a', what: 'kubernetes_sd_configs selectors' },
    ])
  })
})

it('durations are read and written as Prometheus does', () => {
  for (const text of ['15s', '1h30m', '1d', '500ms', '2w', '1m'])
    expect(formatPrometheusDuration(parsePrometheusDuration(text)!)).toBe(text)
  expect(parsePrometheusDuration('90s')).toBe(seconds(90))
  expect([parsePrometheusDuration('0'), parsePrometheusDuration(''), parsePrometheusDuration('1.5s')]).toEqual([
    0,
    undefined,
    undefined,
  ])
})

it('a ConfigMap’s file is read again when it changes; a bad one leaves the last', () => {
  const w = scrapeWorld()
  const write = (text: string) => w.store.patch(ConfigMap, 'default/p', { data: { 'prometheus.yml': text } }, 'test')
  w.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'p', namespace: 'default' },
    data: { 'prometheus.yml': 'scrape_configs: [{job_name: a}]' },
  })
  const source = fileSource(w.kube, 'default/p', 'prometheus.yml')
  const names = () => source.read().configs.map((c) => c.jobName)
  expect(names()).toEqual(['a'])
  write('scrape_configs: [{job_name: b}]')
  w.at(1)
  expect(names()).toEqual(['b'])
  write('scrape_configs: [{}]')
  w.at(2)
  expect(names()).toEqual(['b'])
  expect(source.read().unmodelled).toEqual([
    { where: 'ConfigMap default/p', what: 'prometheus.yml: job_name is empty' },
  ])
})

it('servers and adapters are found among a platform’s objects', () => {
  const configMap = (name: string, data: Record<string, string>) =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'mon' }, data }) as unknown as KubeObject
  const objects = [
    configMap('p', { 'prometheus.yml': 'global: {}\nscrape_configs: []', 'rules.yml': 'groups: []' }),
    configMap('a', { 'config.yaml': 'rules:\n- seriesQuery: x' }),
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'Prometheus',
      metadata: { name: 'o' },
      spec: {},
    } as unknown as KubeObject,
  ]
  expect(
    declaredPrometheus(objects).map((d) =>
      d.kind === 'file' ? `${d.configMap} ${d.dataKey}` : d.object.metadata.name,
    ),
  ).toEqual(['mon/p prometheus.yml', 'o'])
  expect(declaredAdapterConfigs(objects).map((d) => d.configMap)).toEqual(['mon/a'])
})
