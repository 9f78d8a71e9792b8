import { type HostileCase, hostile, WELL, WELL_CONFIG } from './case.ts'

/** A `seatrial.yaml` beside a platform that is well. */
const config = (name: string, text: string, expect: HostileCase['expect'] = 'refused'): HostileCase =>
  hostile(`seatrial.yaml: ${name}`, WELL, { config: text, expect })

const nodes = (fields: string) => `nodes: [{name: gpu, ${fields}, gpu: {product: NVIDIA-H100-80GB-HBM3, count: 2}}]\n`
const withLine = (line: string) => `${WELL_CONFIG}${line}\n`
const load = (fields: string) => WELL_CONFIG.replace(/^workloads:.*$/m, `workloads: {chat: {${fields}}}`)

export const configCases = (): HostileCase[] => [
  ...['0', '-1', '1.5', '1000000000', '9007199254740993', '.nan', '.inf', '"3"', '[3]'].map((count) =>
    config(`${count} nodes`, nodes(`count: ${count}`), ['0', '1000000000'].includes(count) ? 'either' : 'refused'),
  ),
  ...['cpu: -1', 'cpu: .inf', 'memory: 0', 'memory: -5Gi', 'memory: 10^6', 'cpu: "1e100000"'].map((field) =>
    config(`a node with ${field}`, nodes(`count: 1, ${field}`), 'refused'),
  ),
  ...['1000000000000/s', '-1/s', '0/s', '.nan', '1e309/s', '1/0', 'x', '""', '[1]', '9'.repeat(400)].map((rate) =>
    config(
      `${rate.slice(0, 20)} requests`,
      load(`arrival: {rate: ${rate}}, promptTokens: 10, outputTokens: 10`),
      'either',
    ),
  ),
  ...['-1', '0', '1e309', '.nan', '9007199254740993', '{mean: 10, p95: 1}', '{mean: -1, p95: 5}', '1000000000'].map(
    (tokens) =>
      config(
        `${tokens} tokens a prompt`,
        load(`arrival: {rate: 1/s}, promptTokens: ${tokens}, outputTokens: 10`),
        'either',
      ),
  ),
  ...['1000000y', '-5s', '1e400s', '.inf', '0s', '""', '9'.repeat(400), '99999999999999999h'].map((time) =>
    config(
      `a load time of ${time.slice(0, 20)}`,
      WELL_CONFIG.replace('30s', time),
      ['0s', '99999999999999999h'].includes(time) ? 'either' : 'refused',
    ),
  ),
  ...['0B/s', '-1GB/s', '1e999GB/s', '.nan', 'x'].map((rate) =>
    config(`a registry of ${rate}`, WELL_CONFIG.replace('1GB/s', rate), 'refused'),
  ),
  ...['0%', '-1%', '101%', '1e309', 'all', '[99%]'].map((goal) =>
    config(`an availability of ${goal}`, withLine(`slos: {availability: ${goal}}`), 'either'),
  ),
  ...['__proto__', 'constructor', 'toString', 'nodez', '"\\e[31m"', '"\\u202e"'].map((key) =>
    config(`a key ${key}`, withLine(`${key}: {polluted: true}`)),
  ),
  ...['__proto__', 'constructor', 'toString'].map((key) =>
    config(`a model ${key}`, withLine('').replace('models: {', `models: {${key}: {loadTime: 1s}, `), 'either'),
  ),
  ...['__proto__', 'hasOwnProperty'].map((key) =>
    config(`a price of ${key}`, withLine(`prices: {${key}: 1}`), 'either'),
  ),
  config('an empty file', '', 'either'),
  config('a list', '[1, 2]'),
  config('a number', '42'),
  config('not YAML', 'a: b: c'),
  config('100,000 open brackets', '['.repeat(100_000)),
  config(
    'a bomb',
    `a: &a [x, x]\n${Array.from({ length: 40 }, (_, i) => `b${i}: &b${i} [*${i === 0 ? 'a' : `b${i - 1}`}, *${i === 0 ? 'a' : `b${i - 1}`}]`).join('\n')}`,
  ),
  config('two documents', `${WELL_CONFIG}---\n${WELL_CONFIG}`),
  config('a key twice', `${WELL_CONFIG}nodes: []\n`),
  config('no nodes', 'nodes: []\n'),
  config('a thousand groups of the same name', `nodes: [${Array(1000).fill('{name: a, count: 1}').join(', ')}]\n`),
  config('a path out of the folder that is not there', withLine('manifests: ["../../../../no/such/*.yaml"]'), 'either'),
  config('a pattern that matches without end', withLine(`manifests: ["${'**/'.repeat(40)}x"]`), 'either'),
  config('a command that is not there', withLine('render: [{run: "no-such-program --x"}]'), 'either'),
  ...['dev/zero', 'dev/urandom', 'dev/null', '', 'no-such-file'].map((file) => ({
    ...config(`a trace from /${file}`, load(`trace: {file: ${'../'.repeat(20)}${file}, format: azure-csv}`)),
    noLine: true as const,
  })),
  config('a waiver for ever', withLine('waivers: [{scenario: x, owner: y, expires: never}]')),
  config('a scenario that is not there', withLine('scenarios: {"no-such": {a: 1}}'), 'either'),
]
