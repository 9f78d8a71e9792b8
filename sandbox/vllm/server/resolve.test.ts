import { describe, expect, test } from 'vitest'
import { modelById } from '../../../fixtures/models/lookup.ts'
import type { ConfigMapLookup } from '../flags/kubelet-expansion.ts'
import { resolveServer } from './resolve.ts'
import { resolveLine } from './test-kit.ts'

test.each([
  ['meta-llama/Llama-3.1-8B-Instruct', 'runs'],
  ['meta-llama/Llama-3.1-8B-Instruct --nope', 'bad-arguments'],
  ['meta-llama/Llama-3.1-8B-Instruct --gpu-memory-utilization 0.15', 'refused'],
  ['someone/fine-tune', 'unknown-model'],
  ['/models/llama', 'unknown-model'],
])('%s: %s', (line, kind) => {
  expect(resolveLine(line).kind).toBe(kind)
})

test.each([
  ['a/b --config /etc/vllm.yaml', 'config-file'],
  ['a/b -tp 8 --distributed-executor-backend ray', 'multi-node'],
  ['a/b -dp 4 -dpl 2', 'multi-node'],
  ['a/b --runner pooling', 'pooling'],
])('%s is unmodelled: %s', (line, code) => {
  expect(resolveLine(line, 2)).toMatchObject({ kind: 'unmodelled', code })
})

test('a value from a secret does not stop a server, unless its arguments need it', () => {
  const env = [{ name: 'X', valueFrom: {} }]
  const resolve = (args: string[]) =>
    resolveServer({ image: 'vllm/vllm-openai:v0.32.0', args, env }, {}, { gpuCount: 1, gpuProduct: 'NVIDIA-L4' })
  expect(resolve(['facebook/opt-125m', '--api-key', '$(X)'])).toMatchObject({
    kind: 'runs',
    assumptions: ['the value of $(X) is not in the manifest'],
  })
  expect(resolve(['facebook/opt-125m', '--port', '$(X)'])).toMatchObject({ kind: 'unmodelled', code: 'unknown-value' })
  expect(resolve(['$(X)'])).toMatchObject({ kind: 'unmodelled', code: 'unknown-value' })
})

test('a user’s model stands for a path, and an unknown GPU is said', () => {
  const container = { image: 'vllm/vllm-openai:v0.32.0', args: ['/models/mine'] }
  const mine = { ...modelById('Qwen/Qwen3-8B')!, id: 'mine' }
  const options = { gpuCount: 1, modelOverrides: { '/models/mine': mine } }
  expect(resolveServer(container, {}, { ...options, gpuProduct: 'NVIDIA-H100-80GB-HBM3' })).toMatchObject({
    kind: 'runs',
    weightsFrom: 'path',
    model: { id: 'mine' },
  })
  expect(resolveServer(container, {}, { ...options, gpuProduct: 'NVIDIA-9000' })).toMatchObject({ kind: 'unknown-gpu' })
})

test('the V0 engine of old versions is said to be simulated as V1', () => {
  const resolved = resolveLine('facebook/opt-125m', 1, undefined, '0.7.3')
  expect(resolved).toMatchObject({ kind: 'runs', assumptions: [expect.stringContaining('V0 engine')] })
})

test('every value says where it comes from', () => {
  const resolved = resolveLine('meta-llama/Llama-3.1-8B-Instruct --max-num-seqs 64')
  if (resolved.kind !== 'runs') throw new Error(resolved.kind)
  const of = (name: string) => resolved.values.find((value) => value.name === name)
  expect(of('maxNumSeqs')).toEqual({ name: 'maxNumSeqs', value: 64, origin: 'flag', by: '--max-num-seqs' })
  expect(of('maxModelLen')).toMatchObject({ value: 131072, origin: 'model' })
  expect(of('maxNumBatchedTokens')).toMatchObject({ value: 8192, origin: 'derived' })
  expect(of('gpuMemoryUtilization')).toMatchObject({ value: 0.92, origin: 'default', by: '--gpu-memory-utilization' })
  expect(of('numGpuBlocks')).toMatchObject({ origin: 'estimate' })
})

test('weights lie on a volume when one is mounted over the hub’s cache', () => {
  const volumeMounts = [{ name: 'cache', mountPath: '/root/.cache/huggingface' }]
  const resolve = (volume: Record<string, unknown>) =>
    resolveServer(
      { image: 'vllm/vllm-openai:v0.32.0', args: ['facebook/opt-125m'], volumeMounts },
      { volumes: [{ name: 'cache', ...volume }] },
      { gpuCount: 1, gpuProduct: 'NVIDIA-L4' },
    )
  expect(resolve({ persistentVolumeClaim: { claimName: 'c' } })).toMatchObject({ weightsFrom: 'volume' })
  expect(resolve({ emptyDir: {} })).toMatchObject({ weightsFrom: 'hub' })
})

test('the image whose entrypoint is the module says that it ignores a bare model', () => {
  const resolve = (args: string[]) =>
    resolveServer({ image: 'vllm/vllm-openai:v0.11.0', args }, {}, { gpuCount: 1, gpuProduct: 'NVIDIA-L4' })
  const bare = resolve(['facebook/opt-125m'])
  expect(bare).toMatchObject({
    kind: 'runs',
    model: { id: 'Qwen/Qwen3-0.6B' },
    settings: { servedModelNames: { value: ['Qwen/Qwen3-0.6B'] } },
    assumptions: [expect.stringContaining('ignores the argument "facebook/opt-125m" and serves vLLM\'s default model')],
  })
  if (bare.kind === 'runs')
    expect(bare.values.find((v) => v.name === 'model')).toMatchObject({ value: 'Qwen/Qwen3-0.6B', origin: 'default' })
  expect(resolve(['--model=facebook/opt-125m', '--tensor-parallel-size 8'])).toMatchObject({
    kind: 'runs',
    settings: { tensorParallelSize: { value: 1 } },
    assumptions: [expect.stringContaining('make them two')],
  })
})

describe('values from config maps', () => {
  const configMaps = (name: string) =>
    name === 'model' ? { MODEL: 'facebook/opt-125m', port: '9000', HF_HOME: '/data' } : undefined
  type Loose = Record<string, unknown>
  const resolve = (container: Loose, lookup: ConfigMapLookup | undefined = configMaps) =>
    resolveServer(
      {
        image: 'vllm/vllm-openai:v0.32.0',
        ...container,
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
      { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'c' } }] },
      { gpuCount: 1, gpuProduct: 'NVIDIA-L4', ...(lookup ? { configMaps: lookup } : {}) },
    )
  const fromKey = (name: string, key: string, more: Loose = {}) => ({
    name: 'X',
    valueFrom: { configMapKeyRef: { name, key, ...more } },
  })
  const unknown = { kind: 'unmodelled', code: 'unknown-value' }

  test('of one key are used', () => {
    const args = ['facebook/opt-125m', '--port', '$(X)']
    const runs = { kind: 'runs', settings: { port: { value: 9000 } }, assumptions: [] }
    expect(resolve({ args, env: [fromKey('model', 'port')] })).toMatchObject(runs)
    expect(resolve({ args, env: [fromKey('model', 'none')] })).toMatchObject(unknown)
    expect(resolve({ args, env: [fromKey('other', 'port')] })).toMatchObject(unknown)
    expect(resolve({ args, env: [fromKey('model', 'port')] }, () => undefined)).toMatchObject(unknown)
  })

  test('of a whole map are used, behind a prefix, and env wins', () => {
    const envFrom = [{ configMapRef: { name: 'model' } }]
    expect(resolve({ args: ['$(MODEL)'], envFrom })).toMatchObject({
      kind: 'runs',
      model: { id: 'facebook/opt-125m' },
      weightsFrom: 'volume',
    })
    expect(resolve({ command: ['sh', '-c', 'exec vllm serve "$MODEL"'], envFrom })).toMatchObject({ kind: 'runs' })
    const prefixed = [{ prefix: 'P_', configMapRef: { name: 'model' } }]
    expect(resolve({ args: ['$(P_MODEL)', '--port', '$(P_port)'], envFrom: prefixed })).toMatchObject({
      settings: { port: { value: 9000 } },
    })
    expect(resolve({ args: ['$(MODEL)'], envFrom, env: [{ name: 'MODEL', value: 'Qwen/Qwen3-0.6B' }] })).toMatchObject({
      model: { id: 'Qwen/Qwen3-0.6B' },
    })
    expect(resolve({ args: ['$(Y)'], envFrom, env: [{ name: 'Y', value: '$(MODEL)' }] })).toMatchObject({
      model: { id: 'facebook/opt-125m' },
    })
  })

  test('that may come from a secret or a map nobody has stay unknown, but not those a script sets', () => {
    for (const envFrom of [[{ secretRef: { name: 's' } }], [{ configMapRef: { name: 'other' } }]]) {
      expect(resolve({ args: ['$(MODEL)'], envFrom })).toMatchObject(unknown)
      expect(resolve({ args: ['facebook/opt-125m', '--port', '$(PORT)'], envFrom })).toMatchObject({
        ...unknown,
        reason: 'its arguments need the value of $(PORT), which the manifest does not tell',
      })
      expect(resolve({ command: ['sh', '-c', 'vllm serve facebook/opt-125m --port $PORT'], envFrom })).toMatchObject(
        unknown,
      )
      expect(resolve({ command: ['sh', '-c', 'M=facebook/opt-125m; exec vllm serve $M'], envFrom })).toMatchObject({
        kind: 'runs',
        assumptions: [],
      })
    }
  })
})
