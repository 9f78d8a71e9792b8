import { expect, it } from 'vitest'
import { inputText } from './input-text.ts'

it.each([
  ['servers[Deployment/chat].loadTimeUs', 540e6, '9m00s'],
  ['servers[Deployment/chat].ttftP95Us', 2e6, '2s'],
  ['servers[Deployment/chat].requestsPerSecond', 1 / 3, '0.333/s'],
  ['servers[Deployment/chat].availability', 0.999, '99.9 %'],
  ['servers[Deployment/chat].arrival', 'poisson', 'poisson'],
  ['servers[Deployment/chat].promptTokens', { kind: 'uniform', minTokens: 1, maxTokens: 9 }, '1–9 tokens'],
  ['servers[Deployment/chat].modelSpec', { id: 'my-fine-tune', layers: 80 }, 'my-fine-tune'],
  ['imageBytes[vllm/vllm-openai:v0.32.0]', 9.2e9, '9.2 GB'],
  ['imageBytes[a/requestsPerSecond]', 60e6, '0.06 GB'],
  ['registryBytesPerSecond', 250e6, '250 MB/s'],
  ['nodes', [{ name: 'cpu', count: 2, cpu: '16', memory: '64Gi' }], '2 × cpu'],
])('%s', (key, value, text) => {
  expect(inputText(key, value)).toBe(text)
})
