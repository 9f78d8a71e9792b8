import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isInstalled } from '../../repository/tools.ts'
import { loadPlatform } from '../load.ts'
import { type Platform, sourceOf } from '../platform.ts'
import { folderWith } from '../testing/folder.ts'

const CHART = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: chat\nversion: 0.1.0\n',
  'chart/values.yaml': `replicaCount: 2
image: { repository: vllm/vllm-openai, tag: v0.11.0 }
model: meta-llama/Llama-3.1-8B-Instruct
strategy:
  rollingUpdate:
    maxSurge: 1
resources:
  limits:
    nvidia.com/gpu: 8
startupProbe:
  failureThreshold: 120
  httpGet: { path: /health, port: 8000 }
`,
  'values-prod.yaml': 'replicaCount: 4\n',
  'chart/templates/_helpers.tpl': `{{- define "chat.labels" -}}
app: {{ .Chart.Name }}
{{- end }}
{{- define "chat.server" }}
- name: vllm
  image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
  args:
    - --model={{ .Values.model }}
  {{- with .Values.startupProbe }}
  startupProbe:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  resources: {{- toYaml .Values.resources | nindent 4 }}
{{- end }}
`,
  'chart/templates/deployment.yaml': `{{- if .Values.model }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicaCount }}
  strategy:
    {{- toYaml .Values.strategy | nindent 4 }}
  selector:
    matchLabels: {{- include "chat.labels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "chat.labels" . | nindent 8 }}
    spec:
      nodeSelector: { pool: {{ .Values.pool | default "gpu" }} }
      terminationGracePeriodSeconds: 60 # seconds
      containers:
        - name: proxy
          image: envoy:v1
        {{- include "chat.server" . | nindent 8 }}
{{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  ports:
    - port: 80
`,
}

/** What \`helm template prod chart -f values-prod.yaml\` writes of it. */
const RENDERED = `---
# Source: chat/templates/deployment.yaml
apiVersion: v1
kind: Service
metadata:
  name: prod
spec:
  ports:
    - port: 80
---
# Source: chat/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: prod
spec:
  replicas: 4
  strategy:
    rollingUpdate:
      maxSurge: 1
  selector:
    matchLabels:
      app: chat
  template:
    metadata:
      labels:
        app: chat
    spec:
      nodeSelector: { pool: gpu }
      terminationGracePeriodSeconds: 60
      containers:
        - name: proxy
          image: envoy:v1
        - name: vllm
          image: "vllm/vllm-openai:v0.11.0"
          args:
            - --model=meta-llama/Llama-3.1-8B-Instruct
          startupProbe:
            failureThreshold: 120
            httpGet: { path: /health, port: 8000 }
          resources:
            limits:
              nvidia.com/gpu: 8
`

let cwd: string
beforeAll(() => {
  cwd = folderWith(CHART)
  const print = JSON.stringify([
    process.execPath,
    '-e',
    `process.stdout.write(${JSON.stringify(RENDERED)})`,
    'template',
    'prod',
    'chart',
    '-f',
    'values-prod.yaml',
    '--set',
    'model=x/y',
  ])
  writeFileSync(join(cwd, 'seatrial.yaml'), `render:\n  - ${print}\n`)
  writeFileSync(join(cwd, 'helm.yaml'), 'render:\n  - helm template prod chart -f values-prod.yaml --set model=x/y\n')
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const PLACES: readonly [field: string, place: string][] = [
  ['spec.replicas', 'values-prod.yaml:1:15 replicaCount, through chart/templates/deployment.yaml:7'],
  [
    'spec.strategy.rollingUpdate.maxSurge',
    'chart/values.yaml:6:15 strategy.rollingUpdate.maxSurge, through chart/templates/deployment.yaml:9',
  ],
  ['spec.template.spec.terminationGracePeriodSeconds', 'chart/templates/deployment.yaml:18:38'],
  ['spec.template.spec.containers[0].image', 'chart/templates/deployment.yaml:21:18'],
  [
    'spec.template.spec.containers[1].image',
    'chart/values.yaml:2:22 image.repository, through chart/templates/_helpers.tpl:6',
  ],
  [
    'spec.template.spec.containers[1].startupProbe.failureThreshold',
    'chart/values.yaml:11:21 startupProbe.failureThreshold, through chart/templates/_helpers.tpl:11',
  ],
  [
    'spec.template.spec.containers[1].resources.limits[nvidia.com/gpu]',
    'chart/values.yaml:9:21 resources.limits[nvidia.com/gpu], through chart/templates/_helpers.tpl:13',
  ],
  ['spec.template.metadata.labels.app', 'chart/templates/_helpers.tpl:2:6'],
  ['spec.template.spec.nodeSelector.pool', 'chart/templates/deployment.yaml:17:21'],
  ['spec.progressDeadlineSeconds', 'chart/templates/deployment.yaml:6:1 absent'],
]

const placeOf = (platform: Platform, path: string, kind = 'Deployment') => {
  const { file, line, column, via, absent } = sourceOf(
    platform.objects.find(({ manifest }) => manifest.kind === kind)!,
    path,
  )
  return `${file}:${line}:${column}${via ? ` ${via}` : ''}${absent ? ' absent' : ''}`
}

describe('a field of what a chart renders leads to', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await loadPlatform({ paths: ['.'], cwd })
  })

  it.each(PLACES)('%s: %s', (path, place) => expect(placeOf(platform, path)).toBe(place))

  it('a setting on the command line', () => {
    expect(placeOf(platform, 'spec.template.spec.containers[1].args[0]')).toBe(
      'seatrial.yaml:2:5 --set model=x/y, through chart/templates/_helpers.tpl:8',
    )
  })

  it('its own document of the template', () => {
    expect(placeOf(platform, 'spec.ports[0].port', 'Service')).toBe('chart/templates/deployment.yaml:31:13')
  })

  it('the chart of that name, where the text comes by standard input', async () => {
    const platform = await loadPlatform({ paths: ['-'], cwd, stdin: RENDERED })
    expect(placeOf(platform, 'spec.replicas')).toBe(
      'chart/values.yaml:1:15 replicaCount, through chart/templates/deployment.yaml:7',
    )
  })

  it('the rendered text, which says so, where the repository does not hold the template', async () => {
    const stdin = RENDERED.replaceAll('chat/templates', 'other/templates')
    const { objects } = await loadPlatform({ paths: ['-'], cwd, stdin })
    expect(sourceOf(objects[1]!, 'spec.replicas')).toMatchObject({
      file: 'stdin',
      line: 17,
      rendered: 'other/templates/deployment.yaml',
    })
  })
})

const helm = isInstalled('helm')
if (!helm) console.warn('skipped: no helm')

describe.skipIf(!helm)('rendered by the real helm', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await loadPlatform({ paths: ['.'], cwd, config: 'helm.yaml' })
  })

  it.each(PLACES)('%s: %s', (path, place) => expect(placeOf(platform, path)).toBe(place))
})
