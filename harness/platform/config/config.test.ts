import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { LIMITS } from '../limits.ts'
import { unmark } from '../testing/marked.ts'
import { configSource } from './config.ts'
import { parseConfig } from './parse.ts'
import { parseBandwidth, parseBytes, parseRate, parseShare, parseTime } from './units.ts'

const parse = (text: string) => parseConfig({ file: 'seatrial.yaml', text }, LIMITS)

test('a whole configuration is read into figures with units', () => {
  const { config, errors } = parse(`
name: acme-chat
nodes:
  - name: h100
    count: 4
    gpu: {product: NVIDIA-H100-80GB-HBM3, count: 8}
    cpu: 128
    memory: 2TB
    labels: {pool: gpu}
    taints: [{key: nvidia.com/gpu, effect: NoSchedule}]
    images: [vllm/vllm-openai:v0.32.0]
models:
  meta-llama/Llama-3.1-70B-Instruct:
    loadTime: {value: 540s, range: [500s, 12m], measured: "kubectl events, 3 starts"}
    loadBandwidth: 1.5GB/s
    imageSize: 9.2GB
images:
  vllm/vllm-openai:v0.32.0: {size: 9Gi}
registry: {bandwidth: 10Gbit/s}
workloads:
  chat:
    arrival: {rate: 20/s}
    promptTokens: {mean: 512, p95: 2048}
    outputTokens: 200
    duration: 10m
slos:
  availability: 99.9%
  ttft: {p95: 800ms}
scenarios:
  rollout-on-full-gpus: {anything: 1}
`)
  expect(errors).toEqual([])
  expect(config).toMatchObject({
    name: 'acme-chat',
    nodes: [{ count: 4, gpu: { count: 8 }, cpu: '128', memory: '2000000000000' }],
    models: {
      'meta-llama/Llama-3.1-70B-Instruct': {
        loadTime: { value: 540e6, range: [500e6, 720e6], measured: 'kubectl events, 3 starts' },
        loadBandwidth: { value: 1.5e9 },
        imageSize: { value: 9.2e9 },
      },
    },
    images: { 'vllm/vllm-openai:v0.32.0': { size: { value: 9 * 2 ** 30 } } },
    registry: { bandwidth: { value: 1.25e9 } },
    workloads: {
      chat: {
        arrival: { rate: { value: 20 }, kind: 'poisson' },
        promptTokens: { kind: 'lognormal', meanTokens: 512, p95Tokens: 2048 },
        outputTokens: { kind: 'constant', tokens: 200 },
        duration: { value: 600e6 },
      },
    },
    slos: { availability: { value: 0.999 }, ttft: { p95: { value: 800e3 } } },
  })
  expect(configSource(config!, ['slos', 'ttft', 'p95'])).toMatchObject({ file: 'seatrial.yaml', line: 28, column: 15 })
})

const bad: [string, string, RegExp, RegExp][] = [
  ['an unknown section', '‸node: []\n', /unknown setting "node"/, /"nodes"/],
  [
    'an unknown setting deep inside',
    'nodes: [{count: 1, gpu: {count: 1, ‸prodct: x}}]\n',
    /nodes\[0\].gpu.prodct/,
    /"product"/,
  ],
  ['an unknown setting of a workload', 'workloads:\n  chat:\n    arrival: {‸rat: 1/s, rate: 1/s}\n', /rat"/, /"rate"/],
  ['a setting of a later version', '‸runbooks: []\n', /unknown setting "runbooks"/, /Settings here: name/],
  [
    'a duration without a unit',
    'models: {m: {loadTime: ‸540}}\n',
    /not a duration: 540 \(write it like 540s\)/,
    /default/,
  ],
  ['a duration in words', 'models: {m: {loadTime: ‸nine minutes}}\n', /not a duration/, /./],
  ['a duration of nothing', 'models: {m: {loadTime: ‸0s}}\n', /more than 0/, /./],
  ['a size without a unit', 'images: {i: {size: ‸9200000000}}\n', /not a size/, /./],
  ['a bandwidth without /s', 'registry: {bandwidth: ‸1GB}\n', /not a bandwidth/, /./],
  ['a rate without /s', 'workloads: {w: {arrival: {rate: ‸20}}}\n', /not a rate: 20/, /./],
  ['no rate', 'workloads: {w: {arrival: ‸{kind: poisson}}}\n', /rate: is required/, /./],
  [
    'an arrival nobody knows',
    'workloads: {w: {arrival: {rate: 1/s, kind: ‸bursty}}}\n',
    /must be one of constant, poisson/,
    /./,
  ],
  [
    'a range from high to low',
    'models: {m: {loadTime: ‸{value: 9s, range: [10s, 5s]}}}\n',
    /goes from low to high/,
    /./,
  ],
  ['a figure without a value', 'models: {m: {loadTime: ‸{range: [1s, 5s]}}}\n', /needs a value/, /./],
  [
    'a figure with a misspelt part',
    'models: {m: {loadTime: ‸{value: 9s, rnge: [1s, 5s]}}}\n',
    /unknown key "rnge"/,
    /./,
  ],
  ['nodes as a map', 'nodes: ‸{count: 4}\n', /nodes: must be a list/, /./],
  ['no nodes', 'nodes: ‸[]\n', /nodes/, /./],
  ['a node group without a count', 'nodes: [‸{name: a}]\n', /nodes\[0\].count: is required/, /Add nodes\[0\].count/],
  ['half a node', 'nodes: [{count: ‸1.5}]\n', /whole number/, /./],
  ['memory in words', 'nodes: [{count: 1, memory: ‸much}]\n', /not a size/, /./],
  ['memory of nearly nothing', 'nodes: [{count: 1, memory: ‸1Ki}]\n', /more than 100Mi.*not 1Ki/, /./],
  ['the memory that a kubelet evicts at', 'nodes: [{count: 1, memory: ‸100Mi}]\n', /eviction/, /./],
  ['negative memory', 'nodes: [{count: 1, memory: ‸-1Gi}]\n', /more than 100Mi/, /./],
  ['a negative number of cores', 'nodes: [{count: 1, cpu: ‸"-1"}]\n', /cpu: must be more than 0, not -1/, /./],
  ['no cores', 'nodes: [{count: 1, cpu: ‸0}]\n', /cpu: must be more than 0, not 0/, /./],
  ['GPUs beyond what a node holds', 'nodes: [{count: 1, gpu: {count: ‸65}}]\n', /gpu.count/, /./],
  ['fewer GPUs than none', 'nodes: [{count: 1, gpu: {count: ‸-1}}]\n', /gpu.count/, /./],
  [
    'two node groups of one name',
    'nodes:\n  - {name: a, count: 1}\n  - {name: b, count: 1}\n  - {count: 1, name: ‸a}\n',
    /nodes\[2\].name: another node group is called a too/,
    /./,
  ],
  [
    'a name that a group without one has',
    'nodes:\n  - {name: ‸nodes-2, count: 1}\n  - {count: 1}\n',
    /nodes\[0\].name: another node group is called nodes-2 too/,
    /./,
  ],
  ['a taint without an effect', 'nodes: [{count: 1, taints: [‸{key: a}]}]\n', /effect/, /./],
  ['a preset nobody has', 'workloads: {w: {preset: ‸chatt}}\n', /must be one of batch, chat/, /./],
  ['a spread nobody can draw', 'workloads: {w: {arrival: {rate: 1/s, kind: gamma, cv: ‸0}}}\n', /cv/, /./],
  [
    'shares that do not make a whole',
    'workloads: {w: {tenants: ‸[{name: a, share: 50%}, {name: b, share: 40%}]}}\n',
    /make 90 %/,
    /./,
  ],
  [
    'a tenant with a share and a rate',
    'workloads: {w: {tenants: [‸{name: a, share: 100%, arrival: {rate: 1/s}}]}}\n',
    /either a share/,
    /./,
  ],
  [
    'two tenants of one name',
    'workloads: {w: {tenants: [{name: a, arrival: {rate: 1/s}}, {name: ‸a, arrival: {rate: 1/s}}]}}\n',
    /another tenant is called a/,
    /./,
  ],
  ['a retry of nothing', 'workloads: {w: {retry: {attempts: 2, when: [‸timeouts]}}}\n', /when/, /./],
  ['a price of nothing', 'prices: {h100-sxm: ‸0}\n', /more than 0/, /./],
  ['a price in words', 'prices: {h100-sxm: ‸cheap}\n', /not a number/, /./],
  ['lengths that fit no form', 'workloads: {w: {promptTokens: ‸{mean: 5}}}\n', /token lengths are/, /./],
  ['a p95 below the mean', 'workloads: {w: {promptTokens: ‸{mean: 500, p95: 100}}}\n', /p95 \(100\) must be more/, /./],
  ['half a token', 'workloads: {w: {promptTokens: ‸0.5}}\n', /whole number/, /./],
  ['an availability above 1', 'slos: {availability: ‸99.9}\n', /not a share: 99.9 \(write it like 99.9%\)/, /./],
  ['an objective nobody judges', 'slos: {ttft: {‸p50: 1s}}\n', /unknown setting "slos.ttft.p50"/, /p95/],
  ['a list for everything', '‸- a\n', /must be a map/, /./],
  ['broken YAML', 'a: [‸', /not valid YAML/, /./],
  ['a key twice', 'name: a\n‸name: b\n', /already set/, /./],
]

test('the smallest nodes are still nodes', () => {
  const nodes = 'nodes: [{count: 1, cpu: 1m, memory: 101Mi, gpu: {count: 0}}, {count: 1, gpu: {count: 64}}]\n'
  expect(parse(nodes).errors).toEqual([])
})

test('the example in the reference is a configuration', () => {
  const page = readFileSync(new URL('../../../docs/reference/seatrial-yaml.md', import.meta.url), 'utf8')
  const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text!)
  const workloads = [...page.matchAll(/^```yaml workload\n(.*?)^```$/gms)].map(([, text]) => text!)
  for (const example of examples) expect(parse(example).errors).toEqual([])
  const { config } = parse(examples[0]!)
  expect(Object.keys(config!)).toEqual(
    expect.arrayContaining(['name', 'nodes', 'models', 'images', 'registry', 'workloads', 'slos', 'prices']),
  )
  expect(workloads).toHaveLength(2)
  for (const workload of workloads)
    expect(parse(`workloads:\n  chat:\n${workload.replaceAll(/^/gm, '    ')}`).errors).toEqual([])
})

describe('mistakes in seatrial.yaml', () => {
  test.each(bad)('%s', (_, marked, what, fix) => {
    const { text, places } = unmark(marked)
    const { config, errors } = parse(text)
    expect(config).toBeUndefined()
    expect(errors[0]).toMatchObject({ exitCode: 2, file: 'seatrial.yaml', ...places[0] })
    expect(errors[0]!.message).toMatch(what)
    expect(errors[0]!.fix).toMatch(fix)
  })

  test('are all reported at once', () => {
    expect(parse('nam: x\nslos: {ttft: {p95: 2}}\nnodes: [{}]\n').errors).toHaveLength(3)
  })

  test('an empty file is a configuration of nothing', () => {
    expect(parse('').errors).toEqual([])
    expect(parse('# only a comment\n').config).toBeDefined()
  })
})

test('units', () => {
  expect([parseBytes('9.2GB'), parseBytes('80Gi'), parseBytes('80 GiB'), parseBytes('1B')]).toEqual([
    9.2e9,
    80 * 2 ** 30,
    80 * 2 ** 30,
    1,
  ])
  expect([parseBandwidth('1GB/s'), parseBandwidth('500MiB/s'), parseBandwidth('10Gbps')]).toEqual([
    1e9,
    500 * 2 ** 20,
    1.25e9,
  ])
  expect([parseTime('540s'), parseTime('1h30m'), parseTime('20ms')]).toEqual([540e6, 5400e6, 20e3])
  expect([parseRate('20/s'), parseRate('90/m'), parseRate('3600 / h')]).toEqual([20, 1.5, 1])
  expect([parseShare('99.9%'), parseShare(0.999), parseShare('100%')]).toEqual([0.999, 0.999, 1])
})
