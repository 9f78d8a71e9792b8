import { describe, expect, it } from 'vitest'
import type { EntryPoint } from '../../../sandbox/network/gateway/entry.ts'
import type { Signal } from './autoscaling/scaling.ts'
import { findVllmServers } from './inference-servers.ts'
import { networkNotes, networkSaid, networkText } from './network-said.ts'
import { deployment, load, SERVICE } from './testkit.ts'

const policy = (spec: string, { namespace = 'default', app = 'chat' } = {}) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: ${namespace}}\nspec: {podSelector: {matchLabels: {app: ${app}}}, ${spec}}`

const workload = (name: string, namespace: string, image: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec:\n  selector: {matchLabels: {app: ${name}}}\n  template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: c, image: "${image}"}]}}`

const PROMETHEUS = workload('prom', 'monitoring', 'quay.io/prometheus/prometheus:v3.0.0')
const KEDA = workload('keda-operator', 'keda', 'ghcr.io/kedacore/keda:2.21.0')
const ON_PROMETHEUS = [{ kind: 'prometheus' }] as unknown as readonly Signal[]
const INGRESS = { via: 'ingress', controller: 'x' } as unknown as EntryPoint
const from = (namespace: string) => `{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}}`

async function said(asked: Partial<Parameters<typeof networkSaid>[2]>, ...objects: string[]) {
  const platform = await load([deployment(), SERVICE, ...objects].join('\n---\n'))
  const [server] = findVllmServers(platform)
  const all = { point: undefined, port: 8000, fetches: false, signals: undefined, load: true, ...asked }
  const texts = networkSaid(platform, server!, all).map(networkText)
  return [
    ...texts.map((text) => text.replace(/\(.*?\) /, '').replace(/(default|monitoring|keda)\/p/, 'p')),
    ...networkNotes(platform, server!, all),
  ]
}

describe('what NetworkPolicies do and is not simulated is said', () => {
  it('nothing where there is none, or all is open', async () => {
    expect(await said({ fetches: true, signals: ON_PROMETHEUS })).toEqual([])
    const open = policy('policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]')
    expect(await said({ fetches: true, signals: ON_PROMETHEUS }, open)).toEqual([])
  })

  it('of clients: that nobody gets in, or by whom it depends', async () => {
    const denied = 'NetworkPolicy/p lets no client connect to port 8000 of its pods'
    expect(await said({}, policy('ingress: []'))).toEqual([denied])
    expect(await said({}, policy('ingress: [{ports: [{port: 9000}]}]'))).toEqual([denied])
    expect(await said({ load: false }, policy('ingress: []'))).toEqual([])
    const some = policy('ingress: [{from: [{podSelector: {matchLabels: {role: client}}}]}]')
    expect(await said({}, some)).toEqual(['clients are among those NetworkPolicy/default/p lets in'])
    expect(await said({ point: INGRESS }, some)).toEqual([
      'NetworkPolicy/p asks who connects, and the manifests do not tell of the gateway',
    ])
  })

  it('of scrapes, where an autoscaler rests on them and it is not known who Prometheus is', async () => {
    const inside = policy(`ingress: [{ports: [{port: 8000}], from: [${from('monitoring')}]}]`)
    const unknown =
      'NetworkPolicy/p asks who connects, and the manifests do not tell of Prometheus, which the autoscaler rests on'
    expect(await said({ load: false, signals: ON_PROMETHEUS }, inside)).toContain(unknown)
    expect(await said({ load: false }, inside)).not.toContain(unknown)
    expect(await said({ load: false, signals: ON_PROMETHEUS }, inside, PROMETHEUS)).not.toContain(unknown)
    const elsewhere = policy(`ingress: [{from: [${from('default')}]}]`)
    expect(await said({ load: false, signals: ON_PROMETHEUS }, elsewhere, PROMETHEUS)).toContain(
      'NetworkPolicy/default/p does not let Prometheus scrape port 8000',
    )
  })

  it('of KEDA, which asks Prometheus', async () => {
    const only = (namespace: string) =>
      policy(`ingress: [{from: [${from(namespace)}]}]`, { namespace: 'monitoring', app: 'prom' })
    const signals = ON_PROMETHEUS
    expect(await said({ signals }, PROMETHEUS, KEDA, only('keda'))).toEqual([])
    expect(await said({ signals }, PROMETHEUS, KEDA, only('grafana'))).toEqual([
      'NetworkPolicy/p does not let KEDA ask Prometheus',
    ])
    expect(await said({ signals }, PROMETHEUS, only('keda'))).toEqual([
      'NetworkPolicy/p asks who connects, and the manifests do not tell of KEDA, which asks Prometheus',
    ])
    const out = policy(`policyTypes: [Egress], egress: [{to: [${from('default')}]}]`, {
      namespace: 'keda',
      app: 'keda-operator',
    })
    expect(await said({ signals }, PROMETHEUS, KEDA, out)).toEqual(['NetworkPolicy/p does not let KEDA ask Prometheus'])
    expect(await said({}, PROMETHEUS, KEDA, out)).toEqual([])
  })

  it('of a model that is fetched from where the pods may not go', async () => {
    const dns = policy('policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]')
    expect(await said({ fetches: true }, dns)).toEqual([
      'NetworkPolicy/p lets its pods connect to no address outside at port 443: whether they can fetch the model is not simulated',
    ])
    expect(await said({ fetches: false }, dns)).toEqual([])
    const https = policy('policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}]}]')
    expect(await said({ fetches: true }, https)).toEqual([])
  })
})
