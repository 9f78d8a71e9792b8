import { describe, expect, test } from 'vitest'
import { findVllmServers } from './inference-servers.ts'
import { senderNotes } from './routers.ts'
import { deployment, load, SERVICE } from './testkit.ts'

const workload = (name: string, container: string, rest = '') => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}${rest}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: main
${container}
`

async function notes(...texts: string[]) {
  const platform = await load([deployment(), `---\n${SERVICE}`, ...texts].join('\n'))
  const [server] = findVllmServers(platform)
  return senderNotes(platform, server!, (object) => object === server!.object)
}

describe('routers in front of a server', () => {
  test.each([
    ['static backends', 'image: acme/router\n          args: [--static-backends, "http://other:1,http://chat-svc:80"]'],
    [
      'its host within the cluster',
      'image: nginx\n          env: [{name: UPSTREAM, value: chat-svc.default.svc.cluster.local}]',
    ],
    [
      'labels of its pods',
      'image: acme/router\n          args: [--k8s-namespace=default, --k8s-label-selector, "app=chat,tier=gpu"]',
    ],
    [
      'a litellm that is told a host and a port',
      'image: ghcr.io/berriai/litellm\n          args: ["--api_base=http://chat-svc/v1"]',
    ],
  ])('%s', async (_, container) => {
    const [note, ...others] = await notes(workload('front', `          ${container}`))
    expect(others).toEqual([])
    expect(note).toMatch(
      /^gateway bypassed: requests go straight to Service chat-svc; router Deployment\/front \(stdin:\d+:\d+: it names (Service chat-svc|its pods by their labels)\) is not simulated$/,
    )
  })

  test('by the file of a ConfigMap, at the place of that file, with the Service its clients use', async () => {
    const container = `          image: nginx:1.27
      volumes: [{name: conf, configMap: {name: conf}}]`
    const map = `---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data:
  nginx.conf: |
    upstream engines { least_conn; server chat-svc; }
`
    const service =
      '---\napiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {selector: {app: front}, ports: [{port: 80}]}\n'
    const [note] = await notes(workload('front', container), map, service)
    expect(note).toContain('router Deployment/front')
    expect(note).toMatch(/is not simulated, nor what clients of its Service api would notice$/)
  })

  test('who only asks is a client, who measures is nothing', async () => {
    const asks = (image: string) =>
      `          image: ${image}\n          env: [{name: OPENAI_BASE_URL, value: "http://chat-svc:80/v1"}]`
    expect(await notes(workload('web', asks('acme/web')))).toEqual([
      expect.stringMatching(/^Deployment\/web \(stdin:\d+:\d+: it names Service chat-svc\) is taken for a client/),
    ])
    expect(await notes(workload('watch', asks('prom/prometheus')))).toEqual([])
  })

  test.each([
    ['another Service whose name begins alike', 'args: ["http://chat-svc-2:80"]'],
    ['a Service of the same name elsewhere', 'args: ["http://chat-svc.other.svc:80"]'],
    ['a word that is no host', 'args: [--log-prefix, chat-svc]'],
    ['labels it has not', 'args: [--selector, "app=chat,tier=cpu"]'],
  ])('%s is no router of it', async (_, container) => {
    expect(await notes(workload('front', `          image: acme/router\n          ${container}`))).toEqual([])
  })

  test('a bare name means the namespace of the router', async () => {
    const elsewhere = workload(
      'front',
      '          image: acme/router\n          args: ["http://chat-svc:80"]',
      ', namespace: edge',
    )
    expect(await notes(elsewhere)).toEqual([])
  })
})
