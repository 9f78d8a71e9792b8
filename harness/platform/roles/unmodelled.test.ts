import { describe, expect, test } from 'vitest'
import type { Capabilities } from '../../../sandbox/tiers/capabilities.ts'
import { simCapabilities as SIM } from '../../../sandbox/tiers/sim/capabilities.ts'
import { gpusOf } from './gpu-requests.ts'
import { findVllmServers } from './inference-servers.ts'
import { podTemplatesOf } from './pod-templates.ts'
import { deployment, load, SERVICE } from './testkit.ts'
import { unmodelled } from './unmodelled.ts'

/** A tier that has actors for workloads and for none of their fields. */
const BARE: Capabilities = {
  tier: 'sim',
  kinds: new Set(['pods', 'deployments.apps', 'replicasets.apps', 'services', 'priorityclasses.scheduling.k8s.io']),
  features: new Set(),
}

describe('unmodelled', () => {
  const found = async (text: string, capabilities: Capabilities = BARE) => {
    const platform = await load(text)
    return unmodelled(platform, findVllmServers(platform)[0]!, capabilities)
  }

  test('nothing, on a plain Deployment with a Service and simple hooks', async () => {
    const probes =
      '          readinessProbe: {httpGet: {port: http, path: /health}}\n          lifecycle: {preStop: {exec: {command: [sh, -c, sleep 10]}}}\n'
    expect(await found(`${deployment(probes)}---\n${SERVICE}`)).toEqual([])
  })

  const fields: [string, string, string, string][] = [
    [
      'probes by command',
      '          livenessProbe: {exec: {command: [ls]}}\n',
      '',
      'runs containers[1].livenessProbe.exec',
    ],
    [
      'hooks by command',
      '          lifecycle: {preStop: {exec: {command: [sh, -c, "drain.py; sleep 10"]}}}\n',
      '',
      'runs containers[1].lifecycle.preStop.exec',
    ],
    [
      'hooks by request',
      '          lifecycle: {preStop: {httpGet: {port: 8000}}}\n',
      '',
      'runs containers[1].lifecycle.preStop',
    ],
    [
      'init containers',
      '',
      '      initContainers: [{name: fetch, image: python, command: [python, fetch.py]}]\n',
      'runs initContainers[0]',
    ],
    [
      'claims of one node',
      '',
      '      volumes: [{name: m, persistentVolumeClaim: {claimName: m}}]\n',
      'schedules volumes[0].persistentVolumeClaim',
    ],
    [
      'pod affinity',
      '',
      '      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a}]}}\n',
      'schedules affinity.podAntiAffinity',
    ],
    [
      'spreading',
      '',
      '      topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]\n',
      'schedules topologySpreadConstraints',
    ],
    ['another scheduler', '', '      schedulerName: volcano\n', 'schedules schedulerName'],
    ['DRA', '', '      resourceClaims: [{name: gpu}]\n', 'schedules resourceClaims'],
    ['readiness gates', '', '      readinessGates: [{conditionType: a}]\n', 'runs readinessGates'],
    [
      'host ports',
      '          ports: [{containerPort: 1, hostPort: 1}]\n',
      '',
      'schedules containers[1].ports[0].hostPort',
    ],
  ]
  test.each(fields)('%s', async (name, container, spec, expected) => {
    const text =
      name === 'host ports'
        ? deployment(container, spec).replace(/ {10}ports: \[\{name.*\n/, '')
        : deployment(container, spec)
    const results = await found(text)
    expect(results.map((u) => `${u.effect} ${u.what}`)).toEqual([
      expected.replace(' ', ' deployments.apps/chat spec.template.spec.'),
    ])
    expect(results[0]).toMatchObject({ code: 'UNMODELLED', source: { file: 'stdin' } })
    expect(results[0]!.source.absent).toBeUndefined()
  })

  test.each([
    ['the workload', 'metadata: {name: chat}', 'metadata: {name: chat, labels: {QUEUE}}', 'metadata'],
    ['its pods', '{app: chat, tier: gpu}', '{app: chat, tier: gpu, QUEUE}', 'spec.template.metadata'],
  ])('a Kueue queue named on %s', async (_, plain, queued, at) => {
    const text = deployment().replace(plain, queued.replace('QUEUE', 'kueue.x-k8s.io/queue-name: gpus'))
    const results = await found(text)
    expect(results.map((u) => `${u.effect} ${u.what}`)).toEqual([
      `schedules deployments.apps/chat ${at}.labels[kueue.x-k8s.io/queue-name]`,
    ])
    expect(results[0]!.source.absent).toBeUndefined()
  })

  test('a claim in the manifests that any node may mount, a trivial init container and a sidecar are fine', async () => {
    const spec =
      '      volumes: [{name: m, persistentVolumeClaim: {claimName: m}}]\n      initContainers: [{name: w, image: busybox, command: [sleep, "5"]}, {name: s, image: x, restartPolicy: Always}]\n'
    const claim =
      'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: m}\nspec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Ti}}}\n'
    expect(await found(`${deployment('', spec)}---\n${claim}`)).toEqual([])
  })

  const others: [string, string, string | undefined][] = [
    [
      'a mutating webhook on pods',
      'apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: w}\nwebhooks: [{name: a.b.c, clientConfig: {url: u}, sideEffects: None, admissionReviewVersions: [v1], rules: [{apiGroups: [""], resources: [pods], operations: [CREATE], apiVersions: [v1]}]}]\n',
      'mutates',
    ],
    [
      'a mutating webhook on other objects',
      'apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: w}\nwebhooks: [{name: a.b.c, clientConfig: {url: u}, sideEffects: None, admissionReviewVersions: [v1], rules: [{resources: [secrets], operations: [CREATE]}]}]\n',
      undefined,
    ],
    [
      'a webhook for pods with other labels',
      'apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: w}\nwebhooks: [{name: a.b.c, clientConfig: {url: u}, sideEffects: None, admissionReviewVersions: [v1], objectSelector: {matchLabels: {x: z}}, rules: [{resources: [pods], operations: [CREATE]}]}]\n',
      undefined,
    ],
    ['a policy engine', 'apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: w}\nspec: {}\n', 'mutates'],
    ['a quota', 'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: w}\nspec: {hard: {pods: "1"}}\n', 'admits'],
    [
      'a quota of another namespace',
      'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: w, namespace: x}\nspec: {hard: {pods: "1"}}\n',
      undefined,
    ],
    [
      'limits by default',
      'apiVersion: v1\nkind: LimitRange\nmetadata: {name: w}\nspec: {limits: [{type: Container}]}\n',
      'mutates',
    ],
    ['a node autoscaler', 'apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: w}\nspec: {}\n', 'adds nodes'],
    [
      'a network policy on the pods',
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: w}\nspec: {podSelector: {matchLabels: {app: chat}}}\n',
      'routes',
    ],
    [
      'a network policy on others',
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: w}\nspec: {podSelector: {matchLabels: {app: x}}}\n',
      undefined,
    ],
    [
      'a vertical autoscaler',
      'apiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\nmetadata: {name: w}\nspec: {targetRef: {kind: Deployment, name: chat}}\n',
      'scales',
    ],
    [
      'a canary controller',
      'apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: w}\nspec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}}\n',
      'owns',
    ],
    [
      'a monitor, which only watches',
      'apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: w}\nspec: {targetRef: {kind: Deployment, name: chat}}\n',
      undefined,
    ],
    [
      'a mesh in the namespace',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio-injection: enabled}}\n',
      'mutates',
    ],
  ]
  test.each(others)('%s', async (_, text, effect) => {
    expect((await found(`${deployment()}---\n${text}`)).map((u) => u.effect)).toEqual(effect ? [effect] : [])
  })

  test('a tier that has the actors has nothing unmodelled', async () => {
    const all: Capabilities = {
      tier: 'kind',
      kinds: new Set([...SIM.kinds, 'horizontalpodautoscalers.autoscaling']),
      features: new Set(['probe.exec']),
    }
    const text = `${deployment('          livenessProbe: {exec: {command: [ls]}}\n')}---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}}\n`
    expect(await found(text, all)).toEqual([])
    expect(await found(text)).toHaveLength(2)
  })

  test('a command that is not recognised, in a vLLM image with GPUs', async () => {
    const text = deployment().replace('args: [--model, meta-llama/Llama-3.1-8B-Instruct]', 'command: [/opt/start.sh]')
    expect((await found(text)).map((u) => u.what)).toEqual(['deployments.apps/chat spec.template.spec.containers[1]'])
    expect(findVllmServers(await load(text.replace(/ {10}resources:.*\n/, '')))).toEqual([])
  })

  test('a container that runs vLLM in a way that cannot be simulated', async () => {
    const text = deployment().replace('vllm-openai:v0.32.0', 'vllm-openai-cpu:v0.32.0')
    expect((await found(text)).map((u) => u.what)).toEqual(['deployments.apps/chat spec.template.spec.containers[1]'])
  })
})

test('GPUs of a pod: init containers run before the others, sidecars beside them', async () => {
  const platform = await load(`apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  initContainers:
    - {name: s, image: x, restartPolicy: Always, resources: {limits: {nvidia.com/gpu: 1}}}
    - {name: i, image: x, resources: {limits: {nvidia.com/gpu: "4"}}}
  containers:
    - {name: a, image: x, resources: {requests: {nvidia.com/gpu: 2}, limits: {nvidia.com/gpu: 2}}}
    - {name: b, image: x, resources: {limits: {nvidia.com/gpu: 1}}}
`)
  expect(gpusOf(podTemplatesOf(platform.objects[0]!)[0]!.spec)).toBe(5)
})
