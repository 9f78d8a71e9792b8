import { expect, test } from 'vitest'
import type { Container } from '../../kube/objects.ts'
import { recogniseVllm } from './command.ts'
import { vllmImage } from './image.ts'
import { versionOf } from './version.ts'

const IMAGE = 'vllm/vllm-openai:v0.32.0'
type Some = Partial<Pick<Container, 'image' | 'command' | 'args' | 'env'>>
const recognise = (container: Some) => recogniseVllm({ image: IMAGE, ...container })

test.each<[string, Some, 'serve' | 'module', string[]]>([
  ['args only, new image', { args: ['a/b'] }, 'serve', ['a/b']],
  [
    'args only, old image',
    { image: 'vllm/vllm-openai:v0.8.5', args: ['--model', 'a/b'] },
    'module',
    ['--model', 'a/b'],
  ],
  ['args only, 0.11.0', { image: 'vllm/vllm-openai:v0.11.0', args: ['--model=a/b'] }, 'module', ['--model=a/b']],
  ['vllm serve', { command: ['vllm', 'serve', 'a/b'] }, 'serve', ['a/b']],
  ['command and args', { command: ['vllm'], args: ['serve', 'a/b', '-tp', '2'] }, 'serve', ['a/b', '-tp', '2']],
  ['full path', { command: ['/usr/local/bin/vllm', 'serve', 'a/b'] }, 'serve', ['a/b']],
  [
    'module',
    { command: ['python3', '-m', 'vllm.entrypoints.openai.api_server'], args: ['--model', 'a/b'] },
    'module',
    ['--model', 'a/b'],
  ],
  [
    'python -u',
    { command: ['python', '-u', '-m', 'vllm.entrypoints.openai.api_server', '--port', '1'] },
    'module',
    ['--port', '1'],
  ],
  ['cli module', { command: ['python3.12', '-m', 'vllm.entrypoints.cli.main', 'serve', 'a/b'] }, 'serve', ['a/b']],
  ['sh -c', { command: ['sh', '-c'], args: ['vllm serve a/b'] }, 'serve', ['a/b']],
  ['bash -lc', { command: ['/bin/bash', '-lc', 'exec vllm serve a/b --x "1 2"'] }, 'serve', ['a/b', '--x', '1 2']],
  ['bash -euo pipefail -c', { command: ['bash', '-euo', 'pipefail', '-c', 'vllm serve a/b'] }, 'serve', ['a/b']],
  [
    'continued lines',
    { command: ['sh', '-c', 'vllm serve a/b \\\n  --port 8000 \\\n  -tp 2\n'] },
    'serve',
    ['a/b', '--port', '8000', '-tp', '2'],
  ],
  [
    '"$@"',
    { command: ['sh', '-c', 'exec vllm serve "$@"', '--'], args: ['a/b', '-tp', '2'] },
    'serve',
    ['a/b', '-tp', '2'],
  ],
  ['$(VAR)', { args: ['$(MODEL)'], env: [{ name: 'MODEL', value: 'a/b' }] }, 'serve', ['a/b']],
  ['$$(VAR)', { args: ['$$(MODEL)'], env: [{ name: 'MODEL', value: 'a/b' }] }, 'serve', ['$(MODEL)']],
  ['$(NOTHING)', { args: ['$(NOTHING)'] }, 'serve', ['$(NOTHING)']],
  [
    '$VAR in sh',
    { command: ['sh', '-c', 'vllm serve $MODEL'], env: [{ name: 'MODEL', value: 'a/b' }] },
    'serve',
    ['a/b'],
  ],
  [
    'env of env',
    {
      args: ['$(M)'],
      env: [
        { name: 'O', value: 'a' },
        { name: 'M', value: '$(O)/b' },
      ],
    },
    'serve',
    ['a/b'],
  ],
  ['env prefix', { command: ['env', 'X=1', 'vllm', 'serve', 'a/b'] }, 'serve', ['a/b']],
  ['tini', { command: ['tini', '--', 'vllm', 'serve', 'a/b'] }, 'serve', ['a/b']],
  [
    'own image',
    { image: 'registry.example.com:5000/team/my-server:1', command: ['vllm', 'serve', 'a/b'] },
    'serve',
    ['a/b'],
  ],
  ['llm-d', { image: 'ghcr.io/llm-d/llm-d-cuda:v0.3.0', command: ['vllm', 'serve'], args: ['a/b'] }, 'serve', ['a/b']],
  [
    'AIBrix',
    {
      image: 'aibrix/vllm-openai:v0.10.2',
      command: ['python3', '-m', 'vllm.entrypoints.openai.api_server', '--model', 'a/b'],
    },
    'module',
    ['--model', 'a/b'],
  ],
  ['Ray image, own command', { image: 'rayproject/ray:2.9', command: ['vllm', 'serve', 'a/b'] }, 'serve', ['a/b']],
])('%s is a vLLM server', (_, container, form, args) => {
  expect(recognise(container)).toMatchObject({ kind: 'vllm', form, args })
})

test.each<[string, Some, string]>([
  ['huggingfaceserver', { image: 'kserve/huggingfaceserver:v0.15.0-gpu', args: ['--model_id=a/b'] }, 'other-server'],
  ['NIM', { image: 'nvcr.io/nim/meta/llama-3.1-8b-instruct:1.8' }, 'other-server'],
  ['SGLang', { image: 'lmsysorg/sglang:latest' }, 'other-server'],
  ['the demo server', { command: ['python3', '-m', 'vllm.entrypoints.api_server'] }, 'other-server'],
  ['a script', { command: ['/bin/sh', '/scripts/start.sh'] }, 'script'],
  ['a Python script', { command: ['python3', 'serve.py'] }, 'script'],
  ['control flow', { command: ['sh', '-c', 'for i in $(ls); do vllm serve $i; done'] }, 'control-flow'],
  ['an unknown entrypoint', { image: 'team/vllm-custom:1', args: ['--model', 'a/b'] }, 'unknown-entrypoint'],
  [
    'vLLM for CPU',
    { image: 'public.ecr.aws/q9t5s3a7/vllm-cpu-release-repo:v0.10.0', command: ['vllm', 'serve', 'a/b'] },
    'platform',
  ],
])('%s is unmodelled', (_, container, code) => {
  expect(recognise(container)).toMatchObject({ kind: 'unmodelled', code })
})

test.each<[string, Some]>([
  ['another image', { image: 'nginx:1' }],
  ['a router', { image: 'lmcache/lmstack-router:v0.1' }],
  ['another command of vllm', { command: ['vllm', 'bench', 'serve'] }],
  ['a sleeping debug container', { command: ['sleep', 'infinity'] }],
])('%s is something else', (_, container) => {
  expect(recognise(container)).toEqual({ kind: 'other' })
})

test('a shell that stays in front keeps SIGTERM from the server', () => {
  const signals = (script: string, shell = 'sh') => {
    const found = recognise({ command: [shell, '-c', script] })
    return found.kind === 'vllm' && found.receivesSignals
  }
  expect(signals('vllm serve a/b')).toBe(false)
  expect(signals('exec vllm serve a/b')).toBe(true)
  expect(signals('vllm serve a/b', 'bash')).toBe(true)
  expect(signals('ulimit -n 65536\nvllm serve a/b\n', '/bin/bash')).toBe(true)
  expect(signals('vllm serve a/b; echo done', 'bash')).toBe(false)
  expect(signals('sleep 5; exec vllm serve a/b')).toBe(true)
  expect(signals('vllm serve a/b & wait')).toBe(false)
  expect(signals('vllm serve a/b | tee /log')).toBe(false)
  expect(signals('vllm serve a/b; echo done')).toBe(false)
})

test('what comes before the server and what the manifest does not tell are kept', () => {
  const found = recognise({
    command: ['sh', '-c', 'pip install x && vllm serve a/b --api-key $KEY'],
    env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
  })
  expect(found).toMatchObject({ preamble: ['pip install x'], unknowns: ['the value of $KEY'] })
})

test.each([
  ['vllm/vllm-openai:v0.32.0', '0.32.0', 'exact', false],
  ['vllm/vllm-openai:v0.10.1', '0.10.1', 'nearest', false],
  ['vllm/vllm-openai:v0.8.5.post1', '0.8.5.post1', 'nearest', false],
  ['docker.io/vllm/vllm-openai:v0.32.0-cu129', '0.32.0', 'exact', false],
  ['vllm/vllm-openai:v0.99.0', '0.99.0', 'newer', true],
  ['vllm/vllm-openai:v0.4.2', '0.4.2', 'older', true],
  ['vllm/vllm-openai:latest', '0.33.0', 'latest', true],
  ['vllm/vllm-openai', '0.33.0', 'latest', true],
  ['vllm/vllm-openai@sha256:abc', '0.33.0', 'unknown', true],
  ['lmcache/vllm-openai:v0.3.9', '0.33.0', 'unknown', true],
  ['ghcr.io/llm-d/llm-d-cuda:v0.3.0', '0.33.0', 'unknown', true],
])('%s is read as vLLM %s (%s)', (image, version, basis, assumed) => {
  expect(versionOf(vllmImage(image))).toMatchObject({ version, basis, assumed })
})
