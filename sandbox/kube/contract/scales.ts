import { beforeEach, expect, it } from 'vitest'
import type { Task } from '../../world/actor.ts'
import { ConfigMap, CustomResourceDefinition, kindOf, ReplicaSet } from '../kinds.ts'
import type { Kube } from '../kube.ts'
import type { OtherObject } from '../objects.ts'
import { configMap, type Place, replicaSet } from './place.ts'

const FLEET = { apiVersion: 'seatrial.example.com/v1', kind: 'Fleet' }

/** The `scale` subresource. */
export function describeScales(at: () => Place): void {
  let kube: Kube
  const run = <T>(task: Task<T>) => at().run(task)
  const key = (name: string) => `${at().namespace}/${name}`
  beforeEach(async () => {
    kube = await at().kube('contract')
  })

  it('shows replicas and the selector as text, and sets the replicas alone', async () => {
    const made = await run(kube.create(ReplicaSet, replicaSet(at(), 'web', 1)))
    const scale = await run(kube.readScale(ReplicaSet, key('web')))
    const { uid, resourceVersion } = made.metadata
    expect(scale).toMatchObject({
      ...{ apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 1 } },
      metadata: { name: 'web', namespace: at().namespace, uid, resourceVersion },
      status: { replicas: 0, selector: 'app=web' },
    })
    const scaled = await run(kube.updateScale(ReplicaSet, { ...scale, spec: { replicas: 3 } }))
    expect(scaled.spec.replicas).toBe(3)
    const after = await run(kube.read(ReplicaSet, key('web')))
    expect(after.spec).toEqual({ ...made.spec, replicas: 3 })
    expect([after.metadata.generation, after.metadata.resourceVersion]).toEqual([2, scaled.metadata.resourceVersion])
  })

  it('refuses a scale of an old version and one below zero', async () => {
    await run(kube.create(ReplicaSet, replicaSet(at(), 'web', 1)))
    const scale = await run(kube.readScale(ReplicaSet, key('web')))
    await run(kube.patch(ReplicaSet, key('web'), { metadata: { labels: { a: 'b' } } }))
    await expect(run(kube.updateScale(ReplicaSet, { ...scale, spec: { replicas: 2 } }))).rejects.toMatchObject({
      ...{ code: 409, reason: 'Conflict' },
      message:
        'Operation cannot be fulfilled on replicasets.apps "web": the object has been modified; please apply your changes to the latest version and try again',
    })
    const fresh = await run(kube.readScale(ReplicaSet, key('web')))
    await expect(run(kube.updateScale(ReplicaSet, { ...fresh, spec: { replicas: -1 } }))).rejects.toMatchObject({
      ...{ code: 422, reason: 'Invalid' },
      message:
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    })
  })

  it('says NotFound for what is not there and for kinds without a scale', async () => {
    await expect(run(kube.readScale(ReplicaSet, key('gone')))).rejects.toMatchObject({
      ...{ code: 404, reason: 'NotFound' },
      message: 'replicasets.apps "gone" not found',
    })
    await run(kube.create(ConfigMap, configMap(at(), 'c', {})))
    await expect(run(kube.readScale(ConfigMap, key('c')))).rejects.toMatchObject({
      ...{ code: 404, reason: 'NotFound' },
      message: 'the server could not find the requested resource',
    })
  })

  it('finds the replicas of a custom resource where its definition says', async () => {
    const Fleet = kindOf(FLEET)
    await run(kube.create(CustomResourceDefinition, fleetDefinition as unknown as OtherObject))
    const metadata = { name: 'f', namespace: at().namespace }
    const status = { size: 2, pods: 'fleet=f' }
    const made = await eventually(at(), () => kube.create(Fleet, { ...FLEET, metadata, spec: { size: 4 } } as never))
    await run(kube.patch(Fleet, key('f'), { status }, { subresource: 'status' }))
    const scale = await run(kube.readScale(Fleet, key('f')))
    expect([scale.spec, scale.status]).toEqual([{ replicas: 4 }, { replicas: 2, selector: 'fleet=f' }])
    await run(kube.updateScale(Fleet, { ...scale, spec: { replicas: 1 } }))
    const after = await run(kube.read(Fleet, key('f')))
    expect(after).toMatchObject({ metadata: { uid: made.metadata.uid }, spec: { size: 1 }, status })
  })
}

/** A server takes a moment to serve a new definition. */
async function eventually<T>(place: Place, task: () => Task<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await place.run(task())
    } catch (error) {
      if (tries >= 50) throw error
      const later = place.world.clock.now + 200_000
      await place.until(() => place.world.clock.now >= later, 1_000_000)
    }
  }
}

const fleetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'fleets.seatrial.example.com' },
  spec: {
    group: 'seatrial.example.com',
    scope: 'Namespaced',
    names: { plural: 'fleets', singular: 'fleet', kind: 'Fleet', listKind: 'FleetList' },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer' } } },
              status: { type: 'object', properties: { size: { type: 'integer' }, pods: { type: 'string' } } },
            },
          },
        },
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.size',
            statusReplicasPath: '.status.size',
            labelSelectorPath: '.status.pods',
          },
        },
      },
    ],
  },
}
