import { describe, expect, test } from 'vitest'
import { simCapabilities as SIM } from '../../../sandbox/tiers/sim/capabilities.ts'
import { formatPath } from '../path.ts'
import { findInferenceServers, findVllmServers, subjectOf } from './inference-servers.ts'
import { deployment, load, pod, SERVICE } from './testkit.ts'
import { unmodelled, unmodelledServingResources } from './unmodelled.ts'

describe('inference servers', () => {
  test('are found by their container, with what belongs to them', async () => {
    const platform = await load(
      [
        deployment(),
        SERVICE,
        'apiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {selector: {app: other}, ports: [{port: 80}]}\n',
        'apiVersion: v1\nkind: Service\nmetadata: {name: elsewhere, namespace: x}\nspec: {selector: {app: chat}, ports: [{port: 80}]}\n',
        'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}, metrics: [{type: Object, object: {describedObject: {apiVersion: v1, kind: Service, name: chat-svc}, metric: {name: queue}, target: {type: Value, value: 10}}}]}\n',
        'apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: k}\nspec: {scaleTargetRef: {name: chat}}\n',
        'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: not}\nspec: {maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: chat}}\n',
        'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: p}\nspec: {selector: {matchLabels: {tier: gpu}}, minAvailable: 1}\n',
        'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec: {rules: [{backendRefs: [{name: chat-svc, port: 80}]}]}\n',
        'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {defaultBackend: {service: {name: chat-svc, port: {number: 80}}}}\n',
        'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {http: [{route: [{destination: {host: chat-svc.default.svc.cluster.local}}]}]}\n',
        'apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: pool}\nspec: {selector: {matchLabels: {app: chat}}}\n',
      ].join('---\n'),
    )
    const [server, ...rest] = findVllmServers(platform)
    expect(rest).toEqual([])
    const names = (objects: readonly { id: string }[]) => objects.map((o) => o.id)
    expect(server!.id).toBe('Deployment/chat')
    expect(server!.recognised.kind).toBe('vllm')
    expect(formatPath(server!.containerPath)).toBe('spec.template.spec.containers[1]')
    expect(names(server!.services)).toEqual(['Service/chat-svc'])
    expect(names(server!.scalers)).toEqual(['HorizontalPodAutoscaler/h', 'ScaledObject/k'])
    expect(names(server!.disruptionBudgets)).toEqual(['PodDisruptionBudget/p'])
    expect(names(server!.routes)).toEqual(['HTTPRoute/r', 'Ingress/i', 'VirtualService/v', 'InferencePool/pool'])
    expect(subjectOf(server!, { port: 8000, worldSize: 2 })).toEqual({
      kind: 'Deployment',
      key: 'default/chat',
      namespace: 'default',
      name: 'chat',
      container: 'vllm',
      selector: { matchLabels: { app: 'chat' } },
      gpus: 2,
      worldSize: 2,
      service: { key: 'default/chat-svc', port: 80 },
    })
    const found = unmodelled(platform, server!, SIM)
    expect(found.map((u) => `${u.effect} ${u.what}`)).toEqual([
      'routes httproutes.gateway.networking.k8s.io/r',
      'routes ingresses.networking.k8s.io/i',
      'routes virtualservices.networking.istio.io/v',
      'routes inferencepools.inference.networking.k8s.io/pool',
    ])
    expect(found[0]!.source.line).toBeGreaterThan(20)
  })

  const kinds: [string, string, string][] = [
    ['StatefulSet', 'apps/v1', `spec:\n  selector: {matchLabels: {app: chat}}\n  template:${pod()}`],
    ['DaemonSet', 'apps/v1', `spec:\n  selector: {matchLabels: {app: chat}}\n  template:${pod()}`],
    ['Job', 'batch/v1', `spec:\n  template:${pod('', '      restartPolicy: Never\n')}`],
    [
      'Pod',
      'v1',
      pod()
        .replace(/\n {4}metadata:.*/, '')
        .replace(/\n {4}spec:/, 'spec:'),
    ],
    ['Rollout', 'argoproj.io/v1alpha1', `spec:\n  template:${pod()}`],
    ['LeaderWorkerSet', 'leaderworkerset.x-k8s.io/v1', `spec:\n leaderWorkerTemplate:\n  workerTemplate:${pod()}`],
    [
      'InferenceService',
      'serving.kserve.io/v1beta1',
      'spec:\n  predictor:\n    containers: [{name: vllm, image: "vllm/vllm-openai:v0.32.0", args: [--model, m/m]}]\n',
    ],
  ]
  test.each(kinds)('a %s is recognised, and unmodelled where it has no actor', async (kind, apiVersion, rest) => {
    const platform = await load(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: chat}\n${rest}`)
    const [server] = findVllmServers(platform)
    expect(server!.id).toBe(`${kind}/chat`)
    const owns = unmodelled(platform, server!, SIM).filter((u) => u.effect === 'owns')
    expect(owns.map((u) => u.what.split('.')[0])).toEqual(
      apiVersion.includes('.') ? [expect.stringMatching(new RegExp(`^${kind.toLowerCase()}s`))] : [],
    )
  })

  test('none are found where nothing serves, and one recogniser may replace another', async () => {
    const platform = await load(
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: nginx}]}\n',
    )
    expect(findVllmServers(platform)).toEqual([])
    expect(findInferenceServers(platform, (c) => (c.image === 'nginx' ? 'web' : undefined))).toHaveLength(1)
  })

  test('a platform of 1,500 servers is looked through once, not once a server', { timeout: 30_000 }, async () => {
    const text = Array.from({ length: 1500 }, (_, i) => deployment().replace('name: chat', `name: chat-${i}`)).join(
      '---\n',
    )
    const servers = findVllmServers(await load(`${text}---\n${SERVICE}`))
    expect(servers).toHaveLength(1500)
    expect(servers.every((server) => server.services.length === 1)).toBe(true)
  })

  test('custom resources that make servers themselves are named', async () => {
    const platform = await load(
      'apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: chat}\nspec: {predictor: {model: {modelFormat: {name: huggingface}}}}\n',
    )
    expect(findVllmServers(platform)).toEqual([])
    expect(unmodelledServingResources(platform, SIM).map((u) => u.what)).toEqual([
      'inferenceservices.serving.kserve.io/chat',
    ])
  })
})
