import { describe, expect, it } from 'vitest'
import type * as o from '../../kube/objects.ts'
import { decide } from '../oracle/decide.ts'
import { hear } from '../oracle/hear.ts'
import { made } from '../oracle/made.ts'
import { node, pod } from '../testing.ts'

const configuration = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' }
const STORAGE = 'storage.k8s.io/v1'
const late = made(STORAGE, 'StorageClass', 'late', {
  provisioner: 'csi.example.com',
  volumeBindingMode: 'WaitForFirstConsumer',
})
const claim = (name: string, spec: object = {}) =>
  made('v1', 'PersistentVolumeClaim', name, {
    metadata: { namespace: 'default' },
    spec: { storageClassName: 'late', resources: { requests: { storage: '10Gi' } }, ...spec },
    status: { phase: 'Pending' },
  })
const limit = (count: number, annotations?: object) =>
  made(STORAGE, 'CSINode', 'n0', {
    metadata: { annotations },
    spec: { drivers: [{ name: 'csi.example.com', nodeID: 'n0', allocatable: { count } }] },
  })
const mounts = (...names: string[]) => ({
  volumes: names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
})
const disk = (readOnly: boolean) => ({ volumes: [{ name: 'd', gcePersistentDisk: { pdName: 'weights', readOnly } }] })

const incoming = (spec: Partial<o.PodSpec>) => pod('incoming', { spec })
const placed = (...objects: readonly object[]) => {
  const item = { configuration, objects: [node('n0'), ...objects] as o.KubeObject[], pod: 'default/incoming' }
  const { statuses, boundOn, choices } = decide(item)
  return choices[0] ? boundOn(choices[0]) : statuses['n0']!.reasons
}

describe('what volumes allow', () => {
  it('holds a node to the volumes its CSINode allows', () => {
    const objects = [late, claim('a'), claim('b'), incoming(mounts('a', 'b'))]
    expect(placed(...objects)).toEqual(['default/a@n0', 'default/b@n0'])
    expect(placed(...objects, limit(2))).toEqual(['default/a@n0', 'default/b@n0'])
    expect(placed(...objects, limit(1))).toEqual(['node(s) exceed max volume count'])
  })

  it('counts a volume that two pods share once', () => {
    const other = pod('other', { node: 'n0', spec: mounts('a') })
    expect(placed(late, claim('a'), other, limit(1), incoming(mounts('a')))).toEqual(['default/a@n0'])
  })

  it('lets two pods use a disk that they name themselves only if both read it', () => {
    const reads = pod('other', { node: 'n0', spec: disk(true) })
    expect(placed(reads, incoming(disk(true)))).toEqual([])
    expect(placed(reads, incoming(disk(false)))).toEqual(['node(s) had no available disk'])
  })

  it('makes no volume where a driver has no room for it', () => {
    const driver = made(STORAGE, 'CSIDriver', 'csi.example.com', { spec: { storageCapacity: true } })
    const room = (capacity: string) =>
      made(STORAGE, 'CSIStorageCapacity', 'c', { storageClassName: 'late', nodeTopology: {}, capacity })
    const objects = [late, claim('a'), driver, incoming(mounts('a'))]
    expect(placed(...objects, room('10Gi'))).toEqual(['default/a@n0'])
    expect(placed(...objects, room('9Gi'))).toEqual(['node(s) did not have enough free storage'])
    expect(placed(...objects)).toEqual(['default/a@n0'])
  })
})

describe('which changes of storage matter', () => {
  const hearing = (change: object) => {
    const objects = [node('n0'), incoming(mounts('a'))] as o.KubeObject[]
    return hear({ configuration, objects, pod: 'default/incoming', change }).plugins
  }

  it('hears of its own claims alone', () => {
    const plugins = ['NodeVolumeLimits', 'VolumeBinding', 'VolumeRestrictions', 'VolumeZone']
    expect(hearing({ storageAfter: claim('a') })).toEqual(plugins)
    expect(hearing({ storageAfter: claim('x') })).toEqual([])
    expect(hearing({ storageBefore: claim('a'), storageAfter: claim('a') })).toEqual(['VolumeBinding', 'VolumeZone'])
  })

  it('hears when a node takes more volumes', () => {
    expect(hearing({ storageBefore: limit(1), storageAfter: limit(2) })).toEqual(['NodeVolumeLimits'])
    expect(hearing({ storageBefore: limit(2), storageAfter: limit(1) })).toEqual([])
  })

  it('takes an empty list of migrated plugins for none', () => {
    const empty = { 'storage.alpha.kubernetes.io/migrated-plugins': '' }
    expect(hearing({ storageBefore: limit(1), storageAfter: limit(1, empty) })).toEqual([])
  })
})
