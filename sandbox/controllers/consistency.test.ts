import { expect, it } from 'vitest'
import { Pod, ReplicaSet } from '../kube/kinds.ts'
import type { KubeObject } from '../kube/objects.ts'
import { Consistency } from './consistency.ts'
import { testCluster } from './testkit.ts'

const OWNER = { key: 'default/web', uid: 'uid-1' }

function tracked() {
  const { kube, store, clock } = testCluster({ controllers: [], kubelet: false })
  const consistency = new Consistency(kube('kube-controller-manager'), [Pod, ReplicaSet])
  const write = (name: string): KubeObject => {
    const metadata = { name, namespace: 'default' }
    const spec = {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: {} },
    }
    const containers = [{ name: 'main', image: 'x' }]
    spec.template.spec = { containers }
    return store.create(ReplicaSet, { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec } as never, 'test')
  }
  const ready = () => {
    try {
      consistency.ensureReady(OWNER.key)
      return 'ready'
    } catch (error) {
      return (error as Error).message
    }
  }
  return { consistency, write, ready, clock }
}

it('holds an owner back until the cache has what was written for it', () => {
  const { consistency, write, ready, clock } = tracked()
  const written = write('web')
  consistency.wrote(OWNER, ReplicaSet, written)
  const version = written.metadata.resourceVersion
  expect(ready()).toBe(
    `read version: 0 is not as new as written version: ${version} for group resource replicasets.apps`,
  )
  clock.runUntil(1)
  expect(ready()).toBe('ready')
})

it('forgets what was written for an owner that is gone, or that another has replaced', () => {
  const { consistency, write, ready } = tracked()
  consistency.wrote(OWNER, ReplicaSet, write('web'))
  consistency.clear(OWNER.key, 'uid-2')
  expect(ready()).not.toBe('ready')
  consistency.clear(OWNER.key, OWNER.uid)
  expect(ready()).toBe('ready')
})
