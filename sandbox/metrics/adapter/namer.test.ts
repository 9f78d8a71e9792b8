import { describe, expect, it } from 'vitest'
import { AdapterConfigError, adapterArguments, helmRules, parseAdapterConfig } from './config.ts'
import { resourceFor } from './group-resource.ts'
import { namerOf } from './namer.ts'
import { parseTemplate, TemplateError } from './template.ts'
import { CONFIG } from './test-kit.ts'

const pods = resourceFor('pods')!
const rule = (yaml: string) => parseAdapterConfig(yaml).rules[0]!

describe('a rule', () => {
  it('builds the query of some pods from its template', () => {
    const namer = namerOf(rule(CONFIG))
    expect(namer.metricName('vllm:num_requests_waiting')).toBe('vllm_num_requests_waiting')
    expect(namer.query('m', pods, 'ns', undefined, ['a', 'b'])).toBe('sum(m{namespace="ns",pod=~"a|b"}) by (pod)')
    expect(namer.query('m', pods, 'ns', { matchLabels: { x: '1' } }, ['a'])).toBe(
      'sum(m{x="1",namespace="ns",pod="a"}) by (pod)',
    )
  })

  it('turns selectors into matchers as the adapter does', () => {
    const namer = namerOf({
      ...rule(CONFIG),
      metricsQuery: '<<.LabelMatchers>>',
      resources: { template: '<<.Resource>>', overrides: {} },
    })
    const of = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', ...values: string[]) =>
      namer.externalQuery('m', '', { matchExpressions: [{ key: 'k', operator, ...(values.length ? { values } : {}) }] })
    expect([of('In', 'b', 'a'), of('In', 'a'), of('NotIn', 'a'), of('Exists'), of('DoesNotExist')]).toEqual([
      'k=~"a|b"',
      'k=~"a"',
      'k!~"a"',
      'k!=""',
      'k=""',
    ])
  })

  it('finds resources by template or overrides, and filters series by name', () => {
    const namer = namerOf({
      ...rule(CONFIG),
      resources: { template: 'kube_<<.Group>>_<<.Resource>>', overrides: { ns: { resource: 'namespaces' } } },
      seriesFilters: [{ isNot: '_total$' }],
    })
    const found = namer.resourcesOf({ __name__: 'x', ns: 'a', kube_apps_deployment: 'd', other: 'o' })
    expect(found.map((r) => r.resource)).toEqual(['namespaces', 'deployments'])
    expect(namer.labelFor(resourceFor('deployments')!)).toBe('kube_apps_deployment')
    const ofServices = namerOf({ ...rule(CONFIG), resources: { overrides: { service: { resource: 'service' } } } })
    expect(() => ofServices.labelFor(resourceFor('pods')!)).toThrow(AdapterConfigError)
    const series = ['vllm:a', 'vllm:a_total', 'b'].map((name) => ({ __name__: name }))
    expect(namer.filter(series).map((s) => s.__name__)).toEqual(['vllm:a'])
  })

  it('that the adapter would not start with is refused', () => {
    expect(() => namerOf(rule(CONFIG.replace(', as: "vllm_$1"', '').replace('(.*)$', '(.)(.*)$')))).toThrow(
      AdapterConfigError,
    )
    expect(() => namerOf(rule(CONFIG.replace('{resource: pod}', '{resource: gadget}')))).toThrow('no matches for')
    expect(() => parseAdapterConfig('rules: [{seriesFilters: [{}]}]')).toThrow('must have either')
    expect(() => parseTemplate('<<if .Series>>')).toThrow(TemplateError)
    expect(parseTemplate('a <<- index .V "k" >> b')({ V: { k: 'x' } })).toBe('ax b')
  })

  it('comes from Helm values, and its intervals from arguments', () => {
    expect(helmRules({ default: false, custom: [{ seriesQuery: 'x', metricsQuery: 'y' }] }).rules).toHaveLength(1)
    expect(adapterArguments(['--config=/etc/adapter/config.yaml', '--metrics-relist-interval', '1m'])).toEqual({
      config: '/etc/adapter/config.yaml',
      relistInterval: '1m',
    })
  })
})
