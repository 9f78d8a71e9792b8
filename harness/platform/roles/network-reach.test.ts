import { expect, it } from 'vitest'
import type { EntryPoint } from '../../../sandbox/network/gateway/entry.ts'
import { findVllmServers } from './inference-servers.ts'
import { networkReachOf } from './network-reach.ts'
import { deployment, load, SERVICE } from './testkit.ts'

const policy = (spec: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {matchLabels: {app: chat}}, ${spec}}`

const INGRESS: EntryPoint = {
  via: 'ingress',
  className: 'nginx',
  controller: 'k8s.io/ingress-nginx',
  settings: {},
  request: { host: 'a', path: '/', headers: {} },
}

async function reach(point: EntryPoint | undefined, ...objects: string[]) {
  const platform = await load([deployment(), SERVICE, ...objects].join('\n---\n'))
  const { clients, scrapes, policies } = networkReachOf(platform, findVllmServers(platform)[0]!, { point, port: 8000 })
  return [clients, scrapes, policies.map(({ id }) => id).join()]
}

it('leaves pods alone that no policy selects', async () => {
  expect(await reach(INGRESS)).toEqual(['allowed', 'allowed', ''])
  expect(await reach(INGRESS, policy('ingress: [{}]'))).toEqual(['allowed', 'allowed', 'NetworkPolicy/p'])
})

it('knows the namespaces of gateways, and Prometheus by its pods', async () => {
  const from = (namespace: string) => `{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}}`
  expect(await reach(INGRESS, policy(`ingress: [{from: [${from('ingress-nginx')}]}]`))).toEqual([
    'allowed',
    'unknown',
    'NetworkPolicy/p',
  ])
  const prometheus =
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: prom, namespace: monitoring}\nspec:\n  selector: {matchLabels: {app: prom}}\n  template: {metadata: {labels: {app: prom}}, spec: {containers: [{name: p, image: "quay.io/prometheus/prometheus:v3.0.0"}]}}'
  expect(await reach(INGRESS, prometheus, policy(`ingress: [{from: [${from('monitoring')}]}]`))).toEqual([
    'denied',
    'allowed',
    'NetworkPolicy/p',
  ])
})

it('says what it cannot know: who clients inside the cluster are', async () => {
  const labelled = policy('ingress: [{from: [{podSelector: {matchLabels: {role: client}}}]}]')
  expect((await reach(undefined, labelled))[0]).toBe('unknown')
  expect((await reach(undefined, policy('ingress: [{ports: [{port: 9000}]}]')))[0]).toBe('denied')
})
