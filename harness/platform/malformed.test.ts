import { describe, expect, test } from 'vitest'
import type { PlatformErrorCode } from './errors.ts'
import { LIMITS } from './limits.ts'
import { errorsOf, unmark } from './testing/marked.ts'

const deployment = (container: string, spec = '', meta = '') => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
${meta}spec:
  selector: {matchLabels: {app: chat}}
${spec}  template:
    metadata: {labels: {app: chat}}
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.32.0
${container}`

const pod = (spec: string) => `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
${spec}`

const nested = (levels: number) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: ${'['.repeat(levels)}${']'.repeat(levels)}\n`

/** Every row: what is wrong, the codes expected in order, and a text with ‸ at each expected place. */
const cases: [string, PlatformErrorCode[], string][] = [
  // YAML
  ['unclosed flow list', ['YAML_SYNTAX'], 'apiVersion: v1\nkind: [Pod‸'],
  ['unclosed flow map', ['YAML_SYNTAX'], 'apiVersion: v1\nmetadata: {name: a\n‸kind: Pod\n'],
  ['unclosed double quote', ['YAML_SYNTAX'], 'apiVersion: "v1\nkind: Pod‸'],
  ['unclosed single quote', ['YAML_SYNTAX'], "apiVersion: 'v1\nkind: Pod\n‸"],
  ['bad escape', ['YAML_SYNTAX'], 'apiVersion: v1\nkind: "‸\\q"\n'],
  ['bad indentation', ['YAML_SYNTAX'], 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n‸ labels: {}\n'],
  ['a list item among keys', ['YAML_SYNTAX'], 'apiVersion: v1\nkind: Pod\n‸- a\n'],
  ['two colons in one line', ['YAML_SYNTAX'], 'apiVersion: v1\nkind: ‸Pod: x\n'],
  ['text after a quoted value', ['YAML_SYNTAX'], 'apiVersion: "v1" ‸x\n'],
  ['alias without an anchor', ['YAML_SYNTAX'], 'apiVersion: v1\nkind: ‸*pod\n'],
  ['alias that contains itself', ['YAML_SYNTAX'], 'apiVersion: v1\nkind: Pod\nmetadata: &m {name: a, labels: ‸*m}\n'],
  ['merge of a scalar', ['YAML_SYNTAX'], 'apiVersion: v1\nkind: Pod\nmetadata:\n  ‸<<: 3\n  name: a\n'],
  ['a tab as indentation', ['TAB_INDENT'], 'apiVersion: v1\nkind: Pod\nmetadata:\n‸\tname: a\n'],
  ['a tab behind spaces', ['TAB_INDENT'], 'apiVersion: v1\nkind: Pod\nmetadata:\n  ‸\tname: a\n'],
  ['a key twice', ['DUPLICATE_KEY'], 'apiVersion: v1\nkind: Pod\n‸kind: Service\n'],
  ['a key twice, deep', ['DUPLICATE_KEY'], pod('  containers:\n    - name: a\n      image: b\n      ‸name: c\n')],
  ['a key twice, in flow style', ['DUPLICATE_KEY'], 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, ‸name: b}\n'],
  ['a key twice, once quoted', ['DUPLICATE_KEY'], 'apiVersion: v1\nkind: Pod\n‸"kind": Pod\n'],
  ['a key twice in JSON', ['DUPLICATE_KEY'], '{"apiVersion": "v1",\n "kind": "Pod",\n ‸"kind": "Pod"}'],
  ['a map as key', ['BAD_KEY'], 'apiVersion: v1\nkind: Pod\nmetadata:\n  ? ‸{a: b}\n  : c\n'],
  ['an empty key', ['BAD_KEY'], 'apiVersion: v1\nkind: Pod\nmetadata:\n  ‸: c\n'],
  ['an unknown tag', ['BAD_TAG'], 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: !Ref ‸x\n'],
  ['trailing comma and text in JSON', ['YAML_SYNTAX'], '{"apiVersion": "v1"} ‸x'],
  ['nested too deep in flow', ['TOO_DEEP'], nested(300).replace('[['.repeat(100), `${'[['.repeat(100)}‸`)],
  // templates
  ['a Helm condition', ['TEMPLATE_LEFT'], '‸{{- if .Values.enabled }}\napiVersion: v1\nkind: Pod\n{{- end }}\n'],
  ['a Helm value', ['TEMPLATE_LEFT'], 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: ‸{{ .Release.Name }}\n'],
  ['a Helm value in quotes', ['TEMPLATE_LEFT'], deployment('          args: [‸"{{ .Values.model }}"]\n')],
  ['a template in an image', ['TEMPLATE_LEFT'], pod('  containers: [{name: a, image: ‸"repo:{{ tag }}"}]\n')],
  ['a variable in an image', ['TEMPLATE_LEFT'], pod('  containers:\n    - name: a\n      image: ‸repo:$' + '{TAG}\n')],
  // objects
  ['no kind', ['MISSING_KIND'], '‸apiVersion: v1\nmetadata: {name: a}\n'],
  ['no apiVersion', ['MISSING_KIND'], '‸kind: Pod\nmetadata: {name: a}\n'],
  ['a kind that is a list', ['WRONG_TYPE'], 'apiVersion: v1\nkind: ‸[Pod]\nmetadata: {name: a}\n'],
  ['an empty kind', ['WRONG_TYPE'], 'apiVersion: v1\nkind: ‸""\nmetadata: {name: a}\n'],
  ['a numeric apiVersion', ['WRONG_TYPE'], 'apiVersion: ‸1\nkind: Pod\nmetadata: {name: a}\n'],
  ['no metadata', ['MISSING_NAME'], '‸apiVersion: v1\nkind: Pod\n'],
  ['no name', ['MISSING_NAME'], 'apiVersion: v1\nkind: Pod\nmetadata:\n  ‸labels: {}\n'],
  ['metadata as a list', ['WRONG_TYPE'], 'apiVersion: v1\nkind: Pod\nmetadata: ‸[a]\n'],
  ['metadata as text', ['WRONG_TYPE'], 'apiVersion: v1\nkind: Pod\nmetadata: ‸a\n'],
  ['a numeric name', ['WRONG_TYPE'], 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ‸42}\n'],
  ['a boolean namespace', ['WRONG_TYPE'], 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ‸on}\n'],
  ['a name in capitals', ['BAD_NAME'], 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ‸My_Config}\n'],
  ['a name too long', ['BAD_NAME'], `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ‸${'a'.repeat(254)}}\n`],
  [
    'an object twice',
    ['DUPLICATE_OBJECT'],
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ‸a, namespace: default}\n',
  ],
  ['a List whose item is no object', ['NOT_AN_OBJECT'], 'apiVersion: v1\nkind: List\nitems:\n  - ‸x\n'],
  ['a List item without kind', ['MISSING_KIND'], 'apiVersion: v1\nkind: List\nitems:\n  - ‸a: b\n'],
  [
    'a List item without a name',
    ['MISSING_NAME'],
    'apiVersion: v1\nkind: List\nitems:\n  - ‸apiVersion: v1\n    kind: Pod\n',
  ],
  ['a List of no list', ['WRONG_TYPE'], 'apiVersion: v1\nkind: List\nitems: ‸{a: b}\n'],
  [
    'a removed API version',
    ['UNSERVED_VERSION'],
    'apiVersion: ‸policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n',
  ],
  [
    'a removed API group',
    ['UNSERVED_VERSION'],
    'apiVersion: ‸extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\n',
  ],
  ['a kind in the wrong group', ['UNSERVED_VERSION'], 'apiVersion: ‸v1\nkind: Deployment\nmetadata: {name: a}\n'],
  ['a misspelt kind', ['UNSERVED_VERSION'], 'apiVersion: apps/v1\nkind: ‸Deploymnet\nmetadata: {name: a}\n'],
  [
    'a kustomization that changes objects',
    ['KUSTOMIZATION_NOT_RENDERED'],
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n‸namePrefix: x-\n',
  ],
  // fields
  ['an unknown field', ['UNKNOWN_FIELD'], deployment('          livenessProbe:\n            ‸foo: 1\n')],
  ['a misspelt field', ['UNKNOWN_FIELD'], deployment('', '  ‸replica: 3\n')],
  ['a field in the wrong case', ['UNKNOWN_FIELD'], deployment('          ‸ReadinessProbe: {tcpSocket: {port: 1}}\n')],
  ['a field one level too high', ['UNKNOWN_FIELD'], deployment('', '  ‸maxSurge: 1\n')],
  [
    'an unknown field at the top',
    ['UNKNOWN_FIELD'],
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n‸spec: {}\n',
  ],
  ['an unknown field in metadata', ['UNKNOWN_FIELD'], deployment('', '', '  ‸label: {a: b}\n')],
  ['replicas as text', ['WRONG_TYPE'], deployment('', '  replicas: ‸"3"\n')],
  ['replicas as a fraction', ['WRONG_TYPE'], deployment('', '  replicas: ‸1.5\n')],
  ['an int32 too large', ['WRONG_TYPE'], deployment('', '  replicas: ‸3000000000\n')],
  ['a number as label', ['WRONG_TYPE'], deployment('', '', '  labels: {version: ‸3}\n')],
  ['on as environment value', ['WRONG_TYPE'], deployment('          env: [{name: A, value: ‸on}]\n')],
  ['a number as argument', ['WRONG_TYPE'], deployment('          args: ["--port", ‸8000]\n')],
  ['a map for a list', ['WRONG_TYPE'], deployment('          ports: ‸{containerPort: 8000}\n')],
  ['a list for a map', ['WRONG_TYPE'], deployment('          resources: ‸[1]\n')],
  ['text for a map', ['WRONG_TYPE'], deployment('          livenessProbe: ‸/health\n')],
  ['text for a boolean', ['WRONG_TYPE'], deployment('          tty: ‸"true"\n')],
  ['maxSurge as a fraction', ['WRONG_TYPE'], deployment('', '  strategy: {rollingUpdate: {maxSurge: ‸0.5}}\n')],
  ['a number for an enum', ['WRONG_TYPE'], deployment('          imagePullPolicy: ‸1\n')],
  ['infinity for a quantity', ['WRONG_TYPE'], deployment('          resources: {limits: {cpu: ‸.inf}}\n')],
  ['an unknown enum value', ['BAD_VALUE'], deployment('          imagePullPolicy: ‸Sometimes\n')],
  ['an enum value in the wrong case', ['BAD_VALUE'], deployment('', '  strategy: {type: ‸recreate}\n')],
  ['a protocol in lower case', ['BAD_VALUE'], deployment('          ports: [{containerPort: 80, protocol: ‸tcp}]\n')],
  ['a quantity in GB', ['BAD_VALUE'], deployment('          resources: {limits: {memory: ‸80GB}}\n')],
  ['an empty quantity', ['BAD_VALUE'], deployment('          resources: {limits: {memory: ‸""}}\n')],
  ['a quantity that is a word', ['BAD_VALUE'], deployment('          resources: {requests: {nvidia.com/gpu: ‸all}}\n')],
  ['bad base64', ['BAD_VALUE'], 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {token: ‸not base64}\n'],
  [
    'a time that is none',
    ['BAD_VALUE'],
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, creationTimestamp: ‸yesterday}\n',
  ],
  ['a container without a name', ['MISSING_FIELD'], pod('  containers:\n    - ‸image: b\n')],
  ['no containers', ['MISSING_FIELD'], pod('  ‸restartPolicy: Always\n')],
  [
    'no selector',
    ['MISSING_FIELD'],
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  ‸template: {spec: {containers: [{name: a}]}}\n',
  ],
  ['a probe without a port', ['MISSING_FIELD'], deployment('          livenessProbe: {httpGet: ‸{path: /health}}\n')],
  ['a null where a value is required', ['MISSING_FIELD'], pod('  containers:\n    - name: ‸null\n      image: b\n')],
  // several at once
  [
    'three mistakes',
    ['UNKNOWN_FIELD', 'WRONG_TYPE', 'BAD_VALUE'],
    deployment('          imagePullPolicy: ‸Never!\n', '  ‸foo: 1\n  replicas: ‸"2"\n'),
  ],
  ['mistakes in two documents', ['YAML_SYNTAX', 'UNKNOWN_FIELD'], `a: ‸b: c\n---\n${deployment('', '  ‸foo: 1\n')}`],
]

describe('malformed manifests', () => {
  test.each(cases)('%s', async (_, codes, marked) => {
    const { text, places } = unmark(marked)
    const errors = await errorsOf(text)
    expect(errors.map((e) => `${e.code} ${e.line}:${e.column}`)).toEqual(
      codes.map((code, i) => `${code} ${places[i]?.line}:${places[i]?.column}`),
    )
    for (const error of errors) {
      expect(error.exitCode).toBe(2)
      expect(error.file).toBe('stdin')
      for (const words of [error.message, error.why, error.fix]) expect(words.length).toBeGreaterThan(5)
      expect(error.format()).not.toMatch(/\bat \S+ \(|node_modules|undefined|\[object/)
    }
  })

  test.each(cases.filter(([name]) => !/alias|document/.test(name)))(
    'with Windows line ends: %s',
    async (_, codes, marked) => {
      const { text, places } = unmark(marked)
      const errors = await errorsOf(text.replaceAll('\n', '\r\n'))
      expect(errors.map((e) => `${e.code} ${e.line}`)).toEqual(codes.map((code, i) => `${code} ${places[i]?.line}`))
    },
  )
})

describe('hostile manifests are refused in bounded time', () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x, x]',
    ...[...'bcdefghij'].map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefghij'[i]}`).join(', ')}]`),
  ].join('\n')
  const rows: [string, PlatformErrorCode, string][] = [
    [
      'aliases of aliases',
      'TOO_MANY_ALIASES',
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n${bomb.replace(/^/gm, '  ')}`,
    ],
    [
      'merges of merges',
      'TOO_MANY_ALIASES',
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nm0: &m0 {k: v}\n${Array.from({ length: 25 }, (_, i) => `m${i + 1}: &m${i + 1} {<<: [*m${i}, *m${i}]}`).join('\n')}\n`,
    ],
    ['100,000 open brackets', 'TOO_DEEP', '['.repeat(100_000)],
    ['100,000 open maps', 'TOO_DEEP', '{a: '.repeat(100_000)],
    ['100,000 dashes', 'TOO_DEEP', '- '.repeat(100_000)],
    [
      '1,000 levels of indentation',
      'TOO_DEEP',
      Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
    ],
    ['60,000 documents', 'TOO_MANY_DOCUMENTS', '---\na: b\n'.repeat(60_000)],
    ['a quote that never ends', 'YAML_SYNTAX', `"${'a'.repeat(2_000_000)}`],
    ['50,000 duplicate keys', 'DUPLICATE_KEY', 'a: b\n'.repeat(50_000)],
    [
      'a megabyte of distinct keys',
      'NO_OBJECTS',
      Array.from({ length: 50_000 }, (_, i) => `key${i}: value\n`).join(''),
    ],
    ['a control character', 'NOT_TEXT', 'apiVersion: v1\u0000'],
  ]
  test.each(rows)('%s', { timeout: 30_000 }, async (_, code, text) => {
    const errors = await errorsOf(text)
    expect(errors[0]?.code).toBe(code)
  })

  test('an unknown field in each of 2,000 objects is reported without flooding the summary', async () => {
    const text = Array.from(
      { length: 2000 },
      (_, i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a${i}}\nfoo: 1\n`,
    ).join('---\n')
    expect(await errorsOf(text)).toHaveLength(2000)
  })

  test('a stream larger than a file may be', async () => {
    const errors = await errorsOf('a: b\n'.repeat(100), { limits: { ...LIMITS, fileBytes: 100 } })
    expect(errors.map((e) => e.code)).toEqual(['TOO_LARGE'])
  })
})
