import { describe, expect, test } from 'vitest'
import type { PlatformError } from './errors.ts'
import { loadPlatform } from './load.ts'
import { rejections } from './rejected.ts'
import { errorsOf, unmark } from './testing/marked.ts'

const deployment = ({ spec = '', container = '', labels = '{app: chat}', podSpec = '' } = {}) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
${spec}  selector: {matchLabels: {app: chat}}
  template:
    metadata:
      labels: ${labels}
    spec:
${podSpec}      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.32.0
${container}`

const service = (spec: string) => `apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: ${spec}\n`

/** Every row: what is wrong, a text with ‸ where the error is, and what it says. */
const rows: [string, string, RegExp][] = [
  [
    'a rollout that may neither add nor remove pods',
    deployment({ spec: '  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: ‸0}}\n' }),
    /^spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0$/,
  ],
  [
    'half a GPU',
    deployment({ container: '          resources: {limits: {nvidia.com/gpu: ‸0.5}}\n' }),
    /limits\[nvidia.com\/gpu\]: Invalid value: "500m": must be an integer$/,
  ],
  [
    'half a GPU of a Pod, whose requests are those of its limits',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: a, image: b, resources: {limits: {nvidia.com/gpu: ‸0.5}}}]\n',
    /limits\[nvidia.com\/gpu\]/,
  ],
  [
    'no time to end in for a container that is not alive',
    deployment({
      container: '          livenessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: ‸0}\n',
    }),
    /livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0$/,
  ],
  [
    'a selector that matches other pods',
    deployment({ labels: '‸{app: other}' }),
    /^spec.template.metadata.labels: Invalid value: .*`selector` does not match/,
  ],
  [
    'a selector for pods without labels',
    deployment({ labels: '‸{}' }),
    /^spec.template.metadata.labels: Invalid value/,
  ],
  [
    'a label of the template',
    deployment({ labels: '‸{app: chat, team: "a b"}' }),
    /^spec.template.labels: Invalid value: "a b"/,
  ],
  [
    'a volume nobody gives',
    deployment({ container: '          volumeMounts: [{name: ‸cache, mountPath: /c}]\n' }),
    /^spec.template.spec.containers\[0\].volumeMounts\[0\].name: Not found: "cache"$/,
  ],
  [
    'a probe without a handler',
    deployment({ container: '          readinessProbe: ‸{periodSeconds: 5}\n' }),
    /readinessProbe: Required value: must specify a handler type$/,
  ],
  [
    'pods that end',
    deployment({ podSpec: '      restartPolicy: ‸Never\n' }),
    /restartPolicy: Unsupported value: "Never": supported values: "Always"$/,
  ],
  ['a service without ports', service('‸{selector: {app: chat}}'), /^spec.ports: Required value$/],
  [
    'a service without anything',
    '‸apiVersion: v1\nkind: Service\nmetadata: {name: s}\n',
    /^spec.ports: Required value$/,
  ],
  [
    'a service with a dot',
    'apiVersion: v1\nkind: Service\nmetadata: {name: ‸a.b}\nspec: {ports: [{port: 80}]}\n',
    /dots/,
  ],
  ['a port beyond the last', service('{ports: [{port: ‸70000}]}'), /^spec.ports\[0\].port: Invalid value: 70000/],
  [
    'a taint whose key is none',
    'apiVersion: v1\nkind: Node\nmetadata: {name: gpu-0}\nspec: {taints: [{key: ‸a b, effect: NoSchedule}]}\n',
    /^metadata.taints\[0\].key: Invalid value: "a b"/,
  ],
  [
    'an item of a List',
    'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: ‸0}]}}\n',
    /^spec.ports\[0\].port: Invalid value: 0/,
  ],
]

describe('what the API server would refuse', () => {
  test.each(rows)('%s', async (_, marked, message) => {
    const { text, places } = unmark(marked)
    const errors = await errorsOf(text)
    expect(errors.map(({ code, line, column }) => ({ code, line, column }))).toEqual([
      { code: 'REJECTED', ...places[0] },
    ])
    expect(errors[0]!.message).toMatch(message)
    expect(errors[0]!.exitCode).toBe(2)
    expect(errors[0]!.why).toContain('API server')
    expect(errors[0]!.fix).not.toBe('')
  })

  test('every cause of an object, but none of one that could not even be decoded', async () => {
    const codes = (errors: PlatformError[]) => errors.map((e) => e.code)
    const two = service('{ports: [{port: 0}, {port: 1}]}')
    expect(codes(await errorsOf(two))).toEqual(['REJECTED', 'REJECTED', 'REJECTED'])
    expect(codes(await errorsOf(service('{ports: [{port: x}, {port: 1}]}')))).toEqual(['WRONG_TYPE'])
  })
})

test('what the cluster may have beyond the manifests is no reason to refuse', async () => {
  const spec = '{serviceAccountName: sa, priorityClassName: high, containers: [{name: a, image: b}]}'
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: {generateName: p-, namespace: prod}\nspec: ${spec}\n`
  const workload = deployment({ podSpec: '      serviceAccountName: sa\n      priorityClassName: high\n' })
  expect(await errorsOf(`${pod}---\n${workload}`)).toEqual([])
})

const whole = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'chat', labels: { a: 'b' }, annotations: { a: 'b' }, finalizers: ['a.b/c'] },
  spec: {
    replicas: 2,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
    selector: { matchLabels: { app: 'chat' }, matchExpressions: [{ key: 'app', operator: 'In', values: ['chat'] }] },
    template: {
      metadata: { labels: { app: 'chat' } },
      spec: {
        terminationGracePeriodSeconds: 60,
        nodeSelector: { pool: 'gpu' },
        tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 5 }],
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: {} } },
        ],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
            },
          },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: { topologyKey: 'a', labelSelector: { matchLabels: {} } } },
            ],
          },
        },
        volumes: [{ name: 'shm', emptyDir: { medium: 'Memory' } }],
        initContainers: [{ name: 'i', image: 'b', restartPolicy: 'Always' }],
        containers: [
          {
            name: 'vllm',
            image: 'b',
            ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
            env: [
              { name: 'A', value: 'b' },
              { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            ],
            resources: { limits: { cpu: '1', 'nvidia.com/gpu': 1 }, requests: { cpu: '1' } },
            volumeMounts: [{ name: 'shm', mountPath: '/dev/shm' }],
            readinessProbe: { httpGet: { path: '/', port: 'http', httpHeaders: [{ name: 'A', value: 'b' }] } },
            startupProbe: { tcpSocket: { port: 80 }, failureThreshold: 3 },
            livenessProbe: { grpc: { port: 80 } },
            lifecycle: { preStop: { sleep: { seconds: 5 } }, postStart: { exec: { command: ['a'] } } },
          },
        ],
      },
    },
  },
}

/** Every part of `value` once left out, and once each of `instead`. */
function* damaged(value: unknown, instead: readonly unknown[]): Generator<unknown> {
  if (value === null || typeof value !== 'object') return
  for (const key of Object.keys(value)) {
    const set = (part: unknown) =>
      Array.isArray(value) ? value.map((item, i) => (String(i) === key ? part : item)) : { ...value, [key]: part }
    for (const part of [undefined, ...instead]) yield set(part)
    for (const part of damaged((value as Record<string, unknown>)[key], instead)) yield set(part)
  }
}

test('whatever is missing or empty, the answer is a list of errors', async () => {
  expect(await errorsOf(JSON.stringify(whole))).toEqual([])
  let rejected = 0
  for (const object of damaged(whole, [null, {}, [], '', 0])) {
    const errors = await errorsOf(JSON.stringify(object))
    if (errors.some(({ code }) => code === 'REJECTED')) rejected++
  }
  expect(rejected).toBeGreaterThan(100)
})

test('5,000 objects are looked at in less than two seconds', async () => {
  const texts = Array.from({ length: 5000 }, (_, i) => deployment().replace('name: chat', `name: chat-${i}`))
  const { objects } = await loadPlatform({ paths: ['-'], stdin: texts.join('---\n'), cwd: '/nowhere' })
  const start = process.cpuUsage()
  expect(objects.flatMap(rejections)).toEqual([])
  expect(process.cpuUsage(start).user / 1e6).toBeLessThan(2)
}, 30_000)
