import { expect, it } from 'vitest'
import type { Rest, RestRequest, WatchEvent } from '../../kube/remote/rest.ts'
import { Causes } from './causes.ts'

const field = (manager: string, time: string, subresource?: string) => ({
  manager,
  operation: 'Update',
  time,
  ...(subresource ? { subresource } : {}),
})

function place() {
  const sent: RestRequest[] = []
  let tell: (event: WatchEvent) => void = () => {}
  const server: Rest = {
    async send(request) {
      sent.push(request)
      return {}
    },
    async watch(_path, _signal, onEvent) {
      tell = onEvent
    },
  }
  const causes = new Causes()
  const rest = causes.over(server)
  void rest.watch('/pods', new AbortController().signal, () => {})
  const see = (...managedFields: object[]) =>
    tell({ type: 'MODIFIED', object: { metadata: { uid: 'u', managedFields } } })
  return { sent, causes, rest, see }
}

it('the manager whose fields changed wrote, and subresources have writers of their own', () => {
  const { causes, see } = place()
  const made = field('kube-controller-manager', '10')
  see(made)
  expect(causes.writer('u', 'rest')).toBe('kube-controller-manager')
  see(made, field('kubelet/gpu-0', '11', 'status'))
  expect(causes.writer('u', 'status')).toBe('kubelet/gpu-0')
  expect(causes.writer('u', 'rest')).toBe('kube-controller-manager')
  see(field('kubectl', '12'), field('kubelet/gpu-0', '11', 'status'))
  expect(causes.writer('u', 'rest')).toBe('kubectl')
  expect(causes.writer('u', 'status')).toBe('kubelet/gpu-0')
  expect(causes.writer('another', 'rest')).toBe('control-plane')
})

it('our processes write under their names, and are known when they delete or evict', async () => {
  const { causes, rest, sent } = place()
  const path = '/api/v1/namespaces/default/pods/chat'
  await rest.send({ method: 'PATCH', path, body: {}, process: 'kubelet/gpu-0' })
  expect(sent[0]!.path).toBe(`${path}?fieldManager=kubelet%2Fgpu-0`)
  expect(causes.isOwn('kubelet/gpu-0')).toBe(true)
  expect(causes.isOwn('kube-scheduler')).toBe(false)
  await rest.send({ method: 'DELETE', path, process: 'kubelet/gpu-0' })
  expect(causes.deleter(path, 'u')).toBe('kubelet/gpu-0')
  await rest.send({ method: 'POST', path: `${path}/eviction`, body: {}, process: 'descheduler' })
  expect(causes.deleter(path, 'u')).toBe('descheduler')
  expect(causes.deleter(path, 'u')).toBe('control-plane')
})
