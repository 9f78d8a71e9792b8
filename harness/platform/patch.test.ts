import { expect, test } from 'vitest'
import { loadPlatform } from './load.ts'
import { applyPatch } from './patch.ts'
import { valueAt } from './path.ts'

const TEXT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  replicas: 2
  strategy:
    rollingUpdate:
      maxSurge: 1
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec:
      containers:
        - {name: vllm, image: "vllm/vllm-openai:v0.32.0", livenessProbe: {tcpSocket: {port: 8000}}}
`
const platform = await loadPlatform({ paths: ['-'], stdin: TEXT, cwd: '/nowhere' })

test('fields are changed, added and removed in a new platform, and the edits say where', () => {
  const { platform: patched, edits } = applyPatch(platform, [
    { object: 'Deployment/chat', path: 'spec.strategy.rollingUpdate.maxSurge', value: 0 },
    { object: 'Deployment/chat', path: 'spec.strategy.rollingUpdate.maxUnavailable', value: 1 },
    { object: 'Deployment/chat', path: 'spec.template.spec.containers[0].startupProbe.failureThreshold', value: 90 },
    { object: 'Deployment/chat', path: 'spec.template.spec.containers[0].livenessProbe' },
  ])
  const manifest = patched.objects[0]!.manifest
  expect(valueAt(manifest, 'spec.strategy.rollingUpdate')).toEqual({ maxSurge: 0, maxUnavailable: 1 })
  expect(valueAt(manifest, 'spec.template.spec.containers')).toEqual([
    { name: 'vllm', image: 'vllm/vllm-openai:v0.32.0', startupProbe: { failureThreshold: 90 } },
  ])
  expect(edits.map(({ text, path, source }) => [path, text, source.line, source.absent])).toEqual([
    ['spec.strategy.rollingUpdate', 'maxSurge: 0, maxUnavailable: 1', 8, undefined],
    ['spec.template.spec.containers[0].startupProbe', 'failureThreshold: 90', 14, true],
    ['spec.template.spec.containers[0]', 'remove livenessProbe', 14, undefined],
  ])
  expect(valueAt(platform.objects[0]!.manifest, 'spec.strategy.rollingUpdate')).toEqual({ maxSurge: 1 })
  expect(Object.isFrozen(valueAt(manifest, 'spec.strategy.rollingUpdate'))).toBe(true)
})

test('list items are replaced, appended and removed', () => {
  const set = (path: string, value?: unknown) =>
    applyPatch(platform, [{ object: 'Deployment/chat', path, value }]).platform.objects[0]!.manifest
  expect(valueAt(set('spec.template.spec.containers[1]', { name: 'b' }), 'spec.template.spec.containers[1].name')).toBe(
    'b',
  )
  expect(valueAt(set('spec.template.spec.containers[0]'), 'spec.template.spec.containers')).toEqual([])
})

test.each([
  ['Deployment/none', 'spec.replicas'],
  ['Deployment/chat', ''],
  ['Deployment/chat', 'spec.replicas.x'],
  ['Deployment/chat', 'spec.template.spec.containers[7].image'],
])('%s %s cannot be changed', (object, path) => {
  expect(() => applyPatch(platform, [{ object, path, value: 1 }])).toThrow(
    expect.objectContaining({ code: 'BAD_PATCH', exitCode: 2 }),
  )
})
