import { expect, it } from 'vitest'
import type { Draft, KubeObject } from '../../kube/objects.ts'
import { preparationsFor } from './preparations.ts'

const deployment = (namespace: string | undefined, serviceAccountName?: string) =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'chat', ...(namespace ? { namespace } : {}) },
    spec: { template: { spec: { containers: [], ...(serviceAccountName ? { serviceAccountName } : {}) } } },
  }) as unknown as Draft<KubeObject>

it('namespaces of objects and accounts of pods are made, but those that every cluster has', () => {
  const node = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'disk' } } as Draft<KubeObject>
  const system = deployment('kube-system', 'default')
  expect(preparationsFor([deployment(undefined, 'chat'), deployment('prod', 'chat'), system, node])).toEqual({
    namespaces: ['prod'],
    serviceAccounts: ['default/chat', 'prod/chat'],
  })
})
