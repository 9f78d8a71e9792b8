import { expect, it } from 'vitest'
import { Deployment as DeploymentKind, kindOf, Pod } from '../../kube/kinds.ts'
import { defaultProfile } from '../../kube/lag.ts'
import type { Deployment, Draft, KubeObject, OtherObject } from '../../kube/objects.ts'
import { isReady } from '../../kube/pods.ts'
import { byGateway, byIngress, gatewayOf, ref, routeOf } from '../../network/gateway/testkit.ts'
import { vllmProgram } from '../../vllm/server/program.ts'
import { resolveLine } from '../../vllm/server/test-kit.ts'
import { minutes, ms, seconds } from '../../world/time.ts'
import type { Route } from '../tier.ts'
import { sim } from './sim.ts'

const MODEL = 'meta-llama/Llama-3.1-8B-Instruct'

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'chat', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'chat' } },
    template: {
      metadata: { labels: { app: 'chat' } },
      spec: {
        containers: [
          {
            name: 'vllm',
            image: 'vllm/vllm-openai:v0.32.0',
            readinessProbe: { httpGet: { path: '/health', port: 8000 }, periodSeconds: 2 },
            resources: { limits: { 'nvidia.com/gpu': '1' } },
          },
        ],
      },
    },
  },
} as unknown as Draft<Deployment>

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's' },
  spec: { selector: { app: 'chat' }, ports: [{ port: 80, targetPort: 8000 }] },
}

const ingress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'i' },
  spec: {
    ingressClassName: 'nginx',
    defaultBackend: { service: { name: 's', port: { number: 80 } } },
  },
}

/** Two vLLM servers behind a Service, a Gateway with 20 s for a request, and an Ingress. */
async function platform() {
  const resolved = resolveLine(`${MODEL} --max-model-len 8192`)
  if (resolved.kind !== 'runs') throw new Error('the server does not run')
  const program = vllmProgram(resolved, { totalLoadUs: seconds(30) })
  const sandbox = await sim.up({
    seed: 1,
    nodes: [
      {
        name: 'gpu',
        count: 1,
        cpu: '64',
        memory: '512Gi',
        gpu: { product: 'NVIDIA-H100-80GB-HBM3', memoryBytes: 80e9, count: 2 },
      },
    ],
    programFor: () => program,
    imageBytes: () => 1e8,
    registryBytesPerSecond: 1e9,
    lag: defaultProfile,
  })
  const route = routeOf([{ backendRefs: [ref('s')], timeouts: { request: '20s' } }])
  for (const object of [service, gatewayOf(), route, ingress] as OtherObject[]) {
    const draft = { ...object, metadata: { namespace: 'default', ...object.metadata } } as Draft<KubeObject>
    await sandbox.run('kubectl', sandbox.kube.create(kindOf(object), draft))
  }
  await sandbox.run('kubectl', sandbox.kube.create(DeploymentKind, deployment))
  sandbox.kube.list(Pod)
  await sandbox.runUntil(minutes(3))
  expect(sandbox.kube.list(Pod).filter(isReady)).toHaveLength(2)
  let sent = 0
  const ask = async (by: Route, outputTokens: number): Promise<string> => {
    const from = sandbox.world.clock.now
    let fate = 'open'
    by.send(
      { id: `r${sent++}`, model: MODEL, promptTokens: 100, outputTokens, stream: true },
      {
        firstToken: () => {
          fate = 'streaming'
        },
        finished: () => {
          fate = 'ok'
        },
        failed: ({ at, kind }) => {
          fate = `${kind} at ${fate} after ${Math.round((at - from) / 1e6)}s`
        },
      },
    )
    await sandbox.runUntil(from + minutes(2))
    return fate
  }
  return { sandbox, ask }
}

it('a gateway cuts long answers where the Service and an Ingress do not', async () => {
  const { sandbox, ask } = await platform()
  expect(await ask(sandbox.enter(byGateway()), 500)).toBe('ok')
  expect(await ask(sandbox.enter(byGateway()), 7000)).toBe('reset at streaming after 20s')
  expect(await ask(sandbox.enter(byIngress()), 7000)).toBe('ok')
  const direct = { via: 'service', service: 'default/s', port: 80, from: 'cluster' } as const
  expect(await ask(sandbox.enter(direct), 7000)).toBe('ok')
})

it('an engine that hangs is silent for a minute before ingress-nginx gives its answers up', async () => {
  const { sandbox, ask } = await platform()
  sandbox.levers['engine.hang']!(() => true)
  expect(await ask(sandbox.enter(byIngress()), 100)).toBe('reset at open after 60s')
  expect(await ask(sandbox.enter(byGateway()), 100)).toBe('reset at open after 20s')
})

it('ingress-nginx sends to a pod that ends for longer than kube-proxy does', async () => {
  const { sandbox } = await platform()
  const refused = async (by: Route): Promise<number> => {
    await sandbox.runUntil(sandbox.world.clock.now + minutes(3))
    const pod = sandbox.kube.list(Pod).find((one) => isReady(one) && !one.metadata.deletionTimestamp)!
    await sandbox.run('kubectl', sandbox.kube.delete(Pod, `default/${pod.metadata.name}`))
    const from = sandbox.world.clock.now
    let last = 0
    for (let at = from; at < from + seconds(6); at += ms(5)) {
      await sandbox.runUntil(at)
      by.send(
        { id: `q${at}`, model: MODEL, promptTokens: 1, outputTokens: 1, stream: true },
        {
          routed: (key) => {
            if (key === `default/${pod.metadata.name}`) last = at - from
          },
          firstToken: () => {},
          finished: () => {},
          failed: () => {},
        },
      )
    }
    return last
  }
  const direct = { via: 'service', service: 'default/s', port: 80, from: 'cluster' } as const
  const [byProxy, byNginx] = [await refused(sandbox.enter(direct)), await refused(sandbox.enter(byIngress()))]
  expect(byProxy).toBeLessThan(seconds(1.2))
  expect(byNginx).toBeGreaterThan(byProxy)
  expect(byNginx).toBeLessThan(seconds(5))
})
