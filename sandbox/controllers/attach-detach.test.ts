import { describe, expect, it } from 'vitest'
import { CSIDriver, Node, PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttachment } from '../kube/kinds.ts'
import type * as o from '../kube/objects.ts'
import { blockStorage, fileStorage } from './volume-provisioner.ts'
import { addClaim, addClass, addPod, cluster, onNode, phase, why } from './volumes-testkit.ts'

describe('a claim', () => {
  it('that is missing keeps its pod from being scheduled, until it is there', () => {
    const c = cluster()
    addClass(c, 'fast')
    addPod(c, 'p', 'weights')
    c.at(30)
    expect(why(c.pod('p'))).toContain('0/2 nodes are available: persistentvolumeclaim "weights" not found.')
    addClaim(c, 'weights')
    c.at(70)
    expect(phase(c, 'p')).toBe('Running')
  })

  it('waits for its pod, is given a volume in the zone of the pod, and holds later pods to that zone', () => {
    const c = cluster()
    addClass(c, 'fast')
    addClaim(c, 'weights')
    c.at(30)
    expect(c.claim('weights')).toMatchObject({ spec: { storageClassName: 'fast' }, status: { phase: 'Pending' } })
    expect(c.events('WaitForFirstConsumer')[0]).toBe('waiting for first consumer to be created before binding')
    addPod(c, 'p', 'weights', onNode('b'))
    c.at(60)
    expect(phase(c, 'p')).toBe('Running')
    const volume = c.store.get(PersistentVolume, c.claim('weights').spec.volumeName!)
    expect(volume.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values).toEqual(['z-b'])
    expect(c.events('SuccessfulAttachVolume')[0]).toBe(
      `AttachVolume.Attach succeeded for volume "${volume.metadata.name}" `,
    )
    addPod(c, 'other', 'weights', onNode('a'))
    c.at(80)
    expect(why(c.pod('other'))).toContain("1 node(s) didn't match PersistentVolume's node affinity")
  })

  it('gets the smallest volume that is large enough, of its class and modes', () => {
    const c = cluster()
    for (const [name, size] of Object.entries({ small: '5Gi', large: '100Gi', right: '20Gi' }))
      c.store.create(
        PersistentVolume,
        {
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name },
          spec: {
            capacity: { storage: size },
            accessModes: ['ReadWriteMany'],
            storageClassName: '',
            nfs: { server: 's', path: '/' },
          },
        } as unknown as o.PersistentVolume,
        'kubectl',
      )
    c.at(22)
    addClaim(c, 'weights', { storageClassName: '', accessModes: ['ReadWriteMany'] })
    addPod(c, 'p', 'weights')
    addPod(c, 'q', 'weights', onNode('a'))
    addPod(c, 'r', 'weights', onNode('b'))
    c.at(60)
    expect(c.claim('weights')).toMatchObject({
      spec: { volumeName: 'right' },
      status: { phase: 'Bound', capacity: { storage: '20Gi' } },
    })
    expect(['p', 'q', 'r'].map((name) => phase(c, name))).toEqual(['Running', 'Running', 'Running'])
    expect(c.store.list(VolumeAttachment)).toEqual([])
  })

  it('without a class or a volume stays pending, and its pod with it', () => {
    const c = cluster()
    addClaim(c, 'weights')
    addPod(c, 'p', 'weights')
    c.at(40)
    expect(c.events('FailedBinding')[0]).toBe(
      'no persistent volumes available for this claim and no storage class is set',
    )
    expect(why(c.pod('p'))).toContain('pod has unbound immediate PersistentVolumeClaims')
  })

  it('for many writers is refused by storage that has none, and shared by storage that has', () => {
    for (const [storage, running] of [
      [blockStorage, false],
      [fileStorage, true],
    ] as const) {
      const c = cluster(storage)
      addClass(c, 'fast', { volumeBindingMode: 'Immediate' })
      addClaim(c, 'weights', { accessModes: ['ReadWriteMany'] })
      addPod(c, 'p', 'weights', onNode('a'))
      addPod(c, 'q', 'weights', onNode('b'))
      c.at(90)
      expect([phase(c, 'p'), phase(c, 'q')].every((one) => one === 'Running')).toBe(running)
      expect(c.events('ProvisioningFailed').length > 0).toBe(!running)
    }
  })

  it('for one pod alone keeps a second one from being scheduled', () => {
    const c = cluster()
    addClass(c, 'fast')
    addClaim(c, 'weights', { accessModes: ['ReadWriteOncePod'] })
    addPod(c, 'p', 'weights')
    c.at(50)
    addPod(c, 'q', 'weights')
    c.at(60)
    expect(why(c.pod('q'))).toContain('ReadWriteOncePod access mode already in-use by another pod')
    c.store.delete(Pod, 'default/p', 'kubectl')
    c.at(120)
    expect(phase(c, 'q')).toBe('Running')
  })
})

it('of a pod alone is made with it, and goes with it', () => {
  const c = cluster()
  addClass(c, 'fast')
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  addPod(c, 'p', '', { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { metadata: {}, spec } } }] })
  c.at(70)
  expect(phase(c, 'p')).toBe('Running')
  expect(c.claim('p-scratch').status.phase).toBe('Bound')
  c.store.delete(Pod, 'default/p', 'kubectl')
  c.at(140)
  expect(c.store.list(PersistentVolumeClaim)).toEqual([])
  expect(c.store.list(PersistentVolume)).toEqual([])
  expect(c.store.list(VolumeAttachment)).toEqual([])
})

it('is not attached where its driver says that it need not be', () => {
  const c = cluster()
  addClass(c, 'fast')
  addClaim(c, 'weights')
  c.store.create(
    CSIDriver,
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'disk.example.com' },
      spec: { attachRequired: false },
    } as o.CSIDriver,
    'kubectl',
  )
  addPod(c, 'p', 'weights')
  c.at(60)
  expect(phase(c, 'p')).toBe('Running')
  expect(c.store.list(VolumeAttachment)).toEqual([])
})

describe('a volume for one node', () => {
  const shared = () => {
    const c = cluster({ ...blockStorage, topologyKey: undefined })
    addClass(c, 'fast')
    addClaim(c, 'weights')
    addPod(c, 'p', 'weights', onNode('a'))
    c.at(50)
    expect(phase(c, 'p')).toBe('Running')
    addPod(c, 'q', 'weights', onNode('b'))
    c.at(60)
    return c
  }

  it('makes a pod on another node wait until the first is gone, and says so', () => {
    const c = shared()
    const volume = c.claim('weights').spec.volumeName
    expect(c.pod('q').status.containerStatuses?.[0]?.state.waiting?.reason ?? 'ContainerCreating').toBe(
      'ContainerCreating',
    )
    expect(c.events('FailedAttachVolume')).toEqual([
      `Multi-Attach error for volume "${volume}" Volume is already used by pod(s) p`,
    ])
    c.store.delete(Pod, 'default/p', 'kubectl')
    c.at(150)
    expect(phase(c, 'q')).toBe('Running')
    expect(c.store.list(VolumeAttachment).map(({ spec }) => spec.nodeName)).toEqual(['b'])
  })

  it('is left to a lost node for six minutes, and then taken from it', () => {
    const c = shared()
    c.nodes[0]!.powerOff()
    const node = c.store.get(Node, 'a')
    const conditions = (node.status.conditions ?? []).map((one) =>
      one.type === 'Ready' ? { ...one, status: 'Unknown' as const } : one,
    )
    c.store.updateStatus(Node, { ...node, status: { ...node.status, conditions } }, 'test')
    c.at(61)
    c.store.delete(Pod, 'default/p', 'kubectl', { gracePeriodSeconds: 0 })
    c.at(60 + 350)
    expect(c.store.list(VolumeAttachment).map(({ spec }) => spec.nodeName)).toEqual(['a'])
    c.at(60 + 600)
    expect(c.store.list(VolumeAttachment).map(({ spec }) => spec.nodeName)).toEqual(['b'])
    expect(phase(c, 'q')).toBe('Running')
  })
})
