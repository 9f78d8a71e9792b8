import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isInstalled } from '../../repository/tools.ts'
import { loadPlatform } from '../load.ts'
import { type Platform, sourceOf } from '../platform.ts'
import { folderWith } from '../testing/folder.ts'

const FILES = {
  'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
  'base/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
spec:
  replicas: 1
  selector: { matchLabels: { app: chat } }
  template:
    metadata: { labels: { app: chat } }
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.10.0
          livenessProbe: { periodSeconds: 10, httpGet: { path: /health, port: 8000 } }
`,
  'overlays/prod/kustomization.yaml': `resources: [../../base]
namePrefix: prod-
replicas:
  - { name: chat, count: 3 }
images:
  - name: vllm/vllm-openai
    newTag: v0.11.0
patches:
  - path: surge.yaml
  - target: { kind: Deployment, name: chat }
    patch: |-
      - op: add
        path: /spec/progressDeadlineSeconds
        value: 1800
`,
  'overlays/prod/surge.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: chat }
spec:
  strategy: { rollingUpdate: { maxSurge: 2 } }
  template:
    spec:
      containers:
        - name: sidecar
          image: envoy:v1
        - name: vllm
          livenessProbe: { failureThreshold: 5 }
`,
}

const RENDERED = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: prod-chat
spec:
  progressDeadlineSeconds: 1800
  replicas: 3
  selector: { matchLabels: { app: chat } }
  strategy: { rollingUpdate: { maxSurge: 2 } }
  template:
    metadata: { labels: { app: chat } }
    spec:
      containers:
      - name: sidecar
        image: envoy:v1
      - name: vllm
        image: vllm/vllm-openai:v0.11.0
        livenessProbe: { failureThreshold: 5, periodSeconds: 10, httpGet: { path: /health, port: 8000 } }
`

let cwd: string
beforeAll(() => {
  cwd = folderWith(FILES)
  const print = JSON.stringify([
    process.execPath,
    '-e',
    `process.stdout.write(${JSON.stringify(RENDERED)})`,
    'kustomize',
    'overlays/prod',
  ])
  writeFileSync(join(cwd, 'seatrial.yaml'), `render:\n  - ${print}\n`)
  writeFileSync(join(cwd, 'kustomize.yaml'), 'render:\n  - kustomize build overlays/prod\n')
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const PLACES: readonly [field: string, place: string][] = [
  ['spec.replicas', 'overlays/prod/kustomization.yaml:4:26'],
  ['spec.template.spec.containers[vllm].image', 'overlays/prod/kustomization.yaml:7:13'],
  ['spec.strategy.rollingUpdate.maxSurge', 'overlays/prod/surge.yaml:5:42'],
  ['spec.progressDeadlineSeconds', 'overlays/prod/kustomization.yaml:14:16'],
  ['spec.template.spec.containers[vllm].livenessProbe.failureThreshold', 'overlays/prod/surge.yaml:12:46'],
  ['spec.template.spec.containers[vllm].livenessProbe.periodSeconds', 'base/deployment.yaml:14:43'],
  ['metadata.name', 'base/deployment.yaml:4:9'],
]

const placeOf = ({ objects }: Platform, path: string) => {
  const spec = objects[0]!.manifest['spec'] as { template: { spec: { containers: { name: string }[] } } }
  const index = spec.template.spec.containers.findIndex(({ name }) => name === 'vllm')
  const { file, line, column } = sourceOf(objects[0]!, path.replace('[vllm]', `[${index}]`))
  return `${file}:${line}:${column}`
}

describe('a field of what kustomize builds leads to what sets it', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await loadPlatform({ paths: ['.'], cwd })
  })

  it.each(PLACES)('%s: %s', (path, place) => expect(placeOf(platform, path)).toBe(place))

  it('also from standard input, by the origin that kustomize notes', async () => {
    const stdin = RENDERED.replace(
      '  name: prod-chat\n',
      `  name: prod-chat\n  annotations:\n    config.kubernetes.io/origin: |\n      path: ../../base/deployment.yaml\n`,
    )
    const platform = await loadPlatform({ paths: ['-'], cwd, stdin })
    for (const [path, place] of PLACES) expect(placeOf(platform, path)).toBe(place)
  })
})

const kustomize = isInstalled('kustomize')
if (!kustomize) console.warn('skipped: no kustomize')

describe.skipIf(!kustomize)('built by the real kustomize', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await loadPlatform({ paths: ['.'], cwd, config: 'kustomize.yaml' })
  })

  it.each(PLACES)('%s: %s', (path, place) => expect(placeOf(platform, path)).toBe(place))
})
