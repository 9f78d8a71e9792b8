import { describe, expect, it } from 'vitest'
import { keyOf, Pod, ReplicaSet } from '../kube/kinds.ts'
import { defaultProfile, instant, type LagProfile } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { ms, seconds } from '../world/time.ts'
import { findCondition } from './conditions.ts'
import { replicaSetController } from './replicaset.ts'
import { podTemplate, settle, type TestClusterOptions, testCluster, WEB } from './testkit.ts'

const LABELS = { app: 'web' }

const web = (replicas: number, spec: Partial<o.ReplicaSet['spec']> = {}): o.ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'default' } as o.ObjectMeta,
  spec: { replicas, selector: { matchLabels: LABELS }, template: podTemplate(LABELS, 'v1'), ...spec },
  status: { replicas: 0 },
})

function started(replicaSet: o.ReplicaSet, options: Partial<TestClusterOptions> = {}) {
  const cluster = testCluster({ controllers: [replicaSetController], ...options })
  cluster.store.create(ReplicaSet, replicaSet, 'kubectl')
  settle(cluster)
  return cluster
}

const status = ({ store }: ReturnType<typeof started>) => store.get(ReplicaSet, WEB).status

describe.each([instant, defaultProfile])('a ReplicaSet with the $name profile', (profile: LagProfile) => {
  it('makes the pods that are missing, and no more', () => {
    const cluster = started(web(25), { profile })
    expect(cluster.pods()).toHaveLength(25)
    expect(status(cluster)).toMatchObject({
      replicas: 25,
      fullyLabeledReplicas: 25,
      readyReplicas: 25,
      terminatingReplicas: 0,
    })
    const made = cluster.world.journal.records.filter(
      (r) => r.type === 'object' && r.kind === 'pods' && r.verb === 'ADDED',
    )
    expect(made).toHaveLength(25)
  })

  it('deletes what is too much, and counts what is on its way out', () => {
    const cluster = started(web(10), { profile, kubelet: { goneAfter: seconds(10) } })
    cluster.store.patch(ReplicaSet, WEB, { spec: { replicas: 3 } }, 'kubectl')
    settle(cluster, seconds(5))
    expect(status(cluster)).toMatchObject({ replicas: 3, terminatingReplicas: 7 })
    settle(cluster)
    expect(cluster.pods()).toHaveLength(3)
    expect(status(cluster).terminatingReplicas).toBe(0)
    expect(cluster.events().filter((text) => text.startsWith('SuccessfulDelete: Deleted pod: web-'))).toHaveLength(7)
  })

  it('replaces a pod as soon as it is being deleted', () => {
    const cluster = started(web(3), { profile, kubelet: { goneAfter: seconds(30) } })
    cluster.store.delete(Pod, keyOf(cluster.pods()[0]!), 'kubectl')
    settle(cluster, seconds(1))
    expect(cluster.pods()).toHaveLength(4)
  })

  it('takes in pods that match and lets go of those that no longer do', () => {
    const cluster = testCluster({ controllers: [replicaSetController], profile })
    const { spec } = podTemplate(LABELS, 'v1')
    cluster.store.create(
      Pod,
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stray', labels: LABELS }, spec },
      'kubectl',
    )
    settle(cluster, seconds(1))
    cluster.store.create(ReplicaSet, web(2), 'kubectl')
    settle(cluster)
    const owners = (key: string) => cluster.store.get(Pod, key).metadata.ownerReferences?.map((ref) => ref.kind)
    expect(cluster.pods()).toHaveLength(2)
    expect(owners('default/stray')).toEqual(['ReplicaSet'])
    cluster.store.patch(Pod, 'default/stray', { metadata: { labels: { app: 'debug' } } }, 'kubectl')
    settle(cluster)
    expect(owners('default/stray')).toBeUndefined()
    expect(cluster.pods()).toHaveLength(3)
    expect(status(cluster).replicas).toBe(2)
  })
})

describe('availability', () => {
  it('comes minReadySeconds after readiness, for each pod at its time', () => {
    const cluster = started(web(2, { minReadySeconds: 30 }), {
      kubelet: { readyAfter: (pod) => (pod.metadata.uid < '8' ? seconds(1) : seconds(11)) },
      seed: 3,
    })
    const at = (time: number) => {
      cluster.clock.runUntil(cluster.clock.now + time)
      return status(cluster).availableReplicas
    }
    expect(status(cluster).readyReplicas).toBe(2)
    expect(status(cluster).availableReplicas).toBe(2)
    cluster.store.delete(Pod, keyOf(cluster.pods()[0]!), 'kubectl')
    expect(at(seconds(29))).toBe(1)
    expect(at(seconds(15))).toBe(2)
  })
})

describe('a failure to make pods', () => {
  it('is said in an Event and a condition, and tried again ever less often', () => {
    const template = podTemplate(LABELS, 'v1')
    const spec = { ...template.spec, priorityClassName: 'no-such-class' }
    const cluster = started(web(5, { template: { ...template, spec } }))
    const failure = findCondition(status(cluster).conditions, 'ReplicaFailure')
    expect(failure).toMatchObject({ status: 'True', reason: 'FailedCreate' })
    const failed = cluster.events().filter((text) => text.startsWith('FailedCreate: Error creating: '))
    // 5 ms doubling for a minute: one at a time, because the first of a batch fails
    expect(failed.length).toBeGreaterThan(10)
    expect(failed.length).toBeLessThan(20)
  })
})

describe('a stale cache', () => {
  it('is not acted on: pods are made once, whatever the watch delay', () => {
    const late: LagProfile = {
      ...defaultProfile,
      watchDelay: [
        [0, ms(500)],
        [1, ms(900)],
      ],
    }
    const cluster = started(web(40), { profile: late })
    const verbs = cluster.world.journal.records.flatMap((r) =>
      r.type === 'object' && r.kind === 'pods' ? [r.verb] : [],
    )
    expect(verbs.filter((verb) => verb === 'ADDED')).toHaveLength(40)
    expect(verbs.filter((verb) => verb === 'DELETED')).toHaveLength(0)
  })
})
