import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadPlatform } from '../load.ts'
import { sourceOf } from '../platform.ts'
import { folderWith } from '../testing/folder.ts'

/** A chart that makes its servers in a loop; `rendered.yaml` is what Helm makes of it. */
const FILES = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: fleet\nversion: 0.1.0\n',
  'chart/values.yaml': `resource: nvidia.com/gpu
engines:
  - name: chat
    model: meta-llama/Llama-3.1-8B-Instruct
    gpus: 2
    limits: { maxLen: 8192 }
  - name: code
    model: Qwen/Qwen2.5-Coder-7B-Instruct
    gpus: 1
    scaling:
      - { type: cpu }
`,
  'chart/templates/engines.yaml': `{{- range $i, $engine := .Values.engines }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $.Release.Name }}-{{ $engine.name }}
spec:
  template:
    spec:
      containers:
        - name: proxy
          image: envoy:v1
        - name: vllm
          command:
          {{- if or
            (eq $engine.name "old")
            (eq $engine.name "older")
          }}
          - /opt/bin/vllm
          {{- else }}
          - vllm
          {{- end }}
          - serve
          - {{ $engine.model | quote }}
          {{- with $engine.limits }}
          - "--max-model-len"
          - {{ .maxLen | quote }}
          {{- end }}
          - "--dtype={{ required "a dtype: \\"half\\" # say" "bfloat16" }}" # a remark
          resources:
            limits:
              {{ $.Values.resource }}: {{ $engine.gpus }}
      {{- if $engine.scaling }}
      tolerations:
      {{- toYaml $engine.scaling | nindent 6 }}
      {{- end }}
---
{{- end }}
`,
}

const RENDERED = (name: string, rest: string, lists = '') => `---
# Source: fleet/templates/engines.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: prod-${name}}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      containers:
        - {name: proxy, image: envoy:v1}
        - name: vllm
          image: vllm/vllm-openai:v0.11.0
          command: [vllm, serve, ${rest}, --dtype=bfloat16]
          resources: {limits: {nvidia.com/gpu: 1}}
${lists}`

describe('where the items of lists are written', () => {
  const folder = folderWith(FILES)
  afterAll(() => rmSync(folder, { recursive: true }))

  const positions = async (rendered: string, ...paths: string[]) => {
    writeFileSync(join(folder, 'rendered.yaml'), rendered)
    const platform = await loadPlatform({ paths: ['rendered.yaml'], cwd: folder })
    return paths.map((path) => {
      const { file, line, column, rendered: fallback } = sourceOf(platform.objects[0]!, path)
      return fallback ? `rendered ${line}` : `${file}:${line}:${column}`
    })
  }

  const at = (rest: string) => `spec.template.spec.containers[1].${rest}`

  it('finds a container by its name and arguments by what they say, in a loop over values', async () => {
    const rendered = RENDERED('chat', 'meta-llama/Llama-3.1-8B-Instruct, --max-model-len, "8192"')
    expect(
      await positions(
        rendered,
        'spec.template.spec.containers[1]',
        at('command[0]'),
        at('command[2]'),
        at('command[3]'),
        at('command[4]'),
        at('command[5]'),
        at('resources.limits["nvidia.com/gpu"]'),
      ),
    ).toEqual([
      'chart/templates/engines.yaml:12:9',
      'chart/templates/engines.yaml:20:13',
      'chart/values.yaml:4:12',
      'chart/templates/engines.yaml:25:13',
      'chart/values.yaml:6:23',
      'chart/templates/engines.yaml:28:13',
      'chart/values.yaml:5:11',
    ])
  })

  it('takes the item of the values the object is named after, and lists below a key of the same indentation', async () => {
    const tolerations = '      tolerations:\n        - {key: cpu}\n'
    const rendered = RENDERED('code', 'Qwen/Qwen2.5-Coder-7B-Instruct', tolerations)
    expect(await positions(rendered, at('command[2]'), 'spec.template.spec.tolerations[0]')).toEqual([
      'chart/values.yaml:8:12',
      'chart/values.yaml:11:9',
    ])
  })
})

describe('what a kustomization generates', () => {
  const folder = folderWith({
    'kustomization.yaml': `resources: [empty.yaml]
configMapGenerator:
  - name: engine
    literals: [MAX_LEN=4096]
    envs: [engine.env]
    files: [start.sh=scripts/run.sh]
`,
    'empty.yaml': '{}\n',
    'engine.env': '# flags\nGPU_SHARE=0.95\nexport TP=2\n',
    'scripts/run.sh': 'exec vllm serve\n',
    'built.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: engine-h7k2m9}\ndata: {MAX_LEN: "4096", GPU_SHARE: "0.95", TP: "2", start.sh: x}\n',
    'seatrial.yaml': 'render: [kustomize build .]\n',
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('comes from a literal, a line of a file of variables, a file', async () => {
    const { objects } = await loadPlatform({ paths: ['built.yaml'], cwd: folder })
    const object = {
      ...objects[0]!,
      origin: { tool: 'kustomize', file: '', sources: { tool: 'kustomize', root: folder, cwd: folder } },
    } as const
    const place = (path: string) => {
      const { file, line, column } = sourceOf(object, path)
      return `${file}:${line}:${column}`
    }
    expect(['data.MAX_LEN', 'data.GPU_SHARE', 'data.TP', 'data["start.sh"]', 'metadata.name'].map(place)).toEqual([
      'kustomization.yaml:4:16',
      'engine.env:2:11',
      'engine.env:3:11',
      'scripts/run.sh:1:1',
      'kustomization.yaml:3:5',
    ])
  })
})
