import { expect, it } from 'vitest'
import type { Draft, KubeObject } from '../../kube/objects.ts'
import { namespacesFor } from './preparations.ts'

const object = (kind: string, metadata: object) =>
  ({ apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1', kind, metadata }) as unknown as Draft<KubeObject>

it('namespaces of objects are made, but those that every cluster has', () => {
  const objects = [
    object('Deployment', { name: 'chat' }),
    object('Deployment', { name: 'chat', namespace: 'prod' }),
    object('Deployment', { name: 'agent', namespace: 'kube-system' }),
    object('PersistentVolume', { name: 'disk' }),
    object('Namespace', { name: 'staging' }),
  ]
  expect(namespacesFor(objects)).toEqual(['prod', 'staging'])
})
