import { expect, it } from 'vitest'
import { ApiError } from '../../kube/errors.ts'
import { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../../kube/kinds.ts'
import type * as o from '../../kube/objects.ts'
import { passOver } from '../oracle/recorded-kube.ts'
import { revisionOf } from '../revision/history.ts'
import { statefulSetController } from '../statefulset.ts'

const labels = { app: 'web' }

const set = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'default', uid: 'set', generation: 1 },
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'app:1' }] } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    revisionHistoryLimit: 0,
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
    persistentVolumeClaimRetentionPolicy: { whenScaled: 'Retain', whenDeleted: 'Delete' },
  },
  status: {},
} as unknown as o.StatefulSet

const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'set', controller: true }]

const podOf = (phase: string, volumes?: object[]) =>
  ({
    metadata: {
      ...{ name: 'web-0', namespace: 'default', uid: 'web-0', ownerReferences },
      labels: { ...labels, 'statefulset.kubernetes.io/pod-name': 'web-0' },
    },
    spec: { containers: [], volumes },
    status: { phase, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  }) as unknown as o.Pod

const claim = { metadata: { name: 'data-web-0', namespace: 'default' }, spec: {} } as unknown as o.PersistentVolumeClaim

function storedAs(name: string, image: string): o.ControllerRevision {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } } as never
  const made = revisionOf({ ...set, spec: { ...set.spec, template } }, { revision: 1, collisionCount: 0 })
  return { ...made, metadata: { ...made.metadata, name, creationTimestamp: '2026-01-01T00:00:00Z' } } as never
}

const passWith = (pod: o.Pod, revisions: readonly o.ControllerRevision[], refused?: string) =>
  passOver(statefulSetController, 'default/web', {
    objects: [
      [StatefulSet, [set]],
      [Pod, [pod]],
      [PersistentVolumeClaim, [claim]],
      [ControllerRevision, revisions],
    ],
    answer: ({ kind }) => (kind.id === refused ? new ApiError(500, 'InternalError', 'boom') : undefined),
    now: 0,
  })

it('gives a pod the volumes of its claims, and no label that its identity does not need', () => {
  const { asked } = passWith(podOf('Running', [{ name: 'tmp', emptyDir: {} }]), [storedAs('one', 'app:1')])
  const sent = asked.find(({ kind, verb }) => kind.id === Pod.id && verb === 'update')?.object as o.Pod
  expect(sent.spec.volumes).toEqual([
    { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } },
    { name: 'tmp', emptyDir: {} },
  ])
  expect(sent.metadata.labels).not.toHaveProperty('apps.kubernetes.io/pod-index')
})

it('tells as an update of the pod that the claim of a waiting one could not be given its owner', () => {
  const { events, failed } = passWith(podOf('Pending'), [storedAs('one', 'app:1')], PersistentVolumeClaim.id)
  expect(failed).toBe(true)
  expect(events).toEqual(['Warning FailedUpdate: Update Pod web-0 in StatefulSet web failed error: boom'])
})

it('cuts the history even when the new template cannot be stored', () => {
  const { asked, failed } = passWith(podOf('Running'), [storedAs('old', 'app:0')], ControllerRevision.id)
  expect(failed).toBe(true)
  expect(asked.map(({ verb, kind, name }) => [verb, kind.id, name])).toContainEqual([
    'delete',
    ControllerRevision.id,
    'old',
  ])
})
