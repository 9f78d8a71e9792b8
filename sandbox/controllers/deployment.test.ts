import { describe, expect, it } from 'vitest'
import { Deployment, keyOf, Pod, ReplicaSet } from '../kube/kinds.ts'
import { defaultProfile, instant } from '../kube/lag.ts'
import type * as o from '../kube/objects.ts'
import { minutes, ms, seconds, toRfc3339 } from '../world/time.ts'
import { findCondition } from './conditions.ts'
import { REVISION } from './deployment/revision.ts'
import { withTemplateOf } from './deployment/rollback.ts'
import { deploymentController } from './deployment.ts'
import { replicaSetController } from './replicaset.ts'
import { deploymentOf, rollout, setImage, settle, type TestClusterOptions, testCluster, WEB } from './testkit.ts'

const controllers = [deploymentController, replicaSetController]

function started(deployment: o.Deployment, options: Partial<TestClusterOptions> = {}) {
  const cluster = testCluster({ controllers, ...options })
  cluster.store.create(Deployment, deployment, 'kubectl')
  settle(cluster)
  return cluster
}

const live = (cluster: ReturnType<typeof started>): o.Deployment => cluster.store.get(Deployment, WEB)
const progress = (cluster: ReturnType<typeof started>) => findCondition(live(cluster).status.conditions, 'Progressing')

describe.each([instant, defaultProfile])('a Deployment with the $name profile', (profile) => {
  it('comes up through a ReplicaSet named after its template', () => {
    const cluster = started(deploymentOf(3), { profile })
    const [rs] = cluster.store.list(ReplicaSet)
    expect(rs!.metadata.name).toMatch(/^web-[4-9bcdf]{8,10}$/)
    expect(rs!.spec.template.metadata.labels).toEqual({
      app: 'web',
      'pod-template-hash': rs!.metadata.name.slice('web-'.length),
    })
    expect(rollout(cluster)).toEqual(['v1 3/3'])
    expect(cluster.events()).toContain(`ScalingReplicaSet: Scaled up replica set ${rs!.metadata.name} from 0 to 3`)
    const { metadata, status } = live(cluster)
    expect(metadata.annotations).toEqual({ [REVISION]: '1' })
    expect(status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 })
    expect(findCondition(status.conditions, 'Available')).toMatchObject({
      status: 'True',
      reason: 'MinimumReplicasAvailable',
      message: 'Deployment has minimum availability.',
    })
    expect(progress(cluster)).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${rs!.metadata.name}" has successfully progressed.`,
    })
  })

  it('rolls a new template out one pod at a time when it may surge by one', () => {
    const cluster = started(deploymentOf(3), { profile })
    setImage(cluster, 'v2')
    settle(cluster)
    expect(rollout(cluster)).toEqual(['v1 0/0', 'v2 3/3'])
    const [v1, v2] = cluster.store.list(ReplicaSet).map((rs) => rs.metadata.name)
    expect(cluster.events().filter((text) => text.startsWith('Scaling'))).toEqual([
      `ScalingReplicaSet: Scaled up replica set ${v1} from 0 to 3`,
      `ScalingReplicaSet: Scaled up replica set ${v2} from 0 to 1`,
      `ScalingReplicaSet: Scaled down replica set ${v1} from 3 to 2`,
      `ScalingReplicaSet: Scaled up replica set ${v2} from 1 to 2`,
      `ScalingReplicaSet: Scaled down replica set ${v1} from 2 to 1`,
      `ScalingReplicaSet: Scaled up replica set ${v2} from 2 to 3`,
      `ScalingReplicaSet: Scaled down replica set ${v1} from 1 to 0`,
    ])
    expect(progress(cluster)?.reason).toBe('NewReplicaSetAvailable')
    expect(live(cluster).metadata.annotations?.[REVISION]).toBe('2')
  })

  it('waits with Recreate until every old pod is gone', () => {
    const cluster = started(deploymentOf(3, { strategy: { type: 'Recreate' } }), {
      profile,
      kubelet: { goneAfter: seconds(20) },
    })
    setImage(cluster, 'v2')
    cluster.clock.runUntil(cluster.clock.now + seconds(19))
    expect(rollout(cluster)).toEqual(['v1 0/0'])
    expect(cluster.pods().every((pod) => pod.metadata.deletionTimestamp)).toBe(true)
    settle(cluster)
    expect(rollout(cluster)).toEqual(['v1 0/0', 'v2 3/3'])
  })

  it('goes back to an earlier template, whose ReplicaSet gets the next revision', () => {
    const cluster = started(deploymentOf(2), { profile })
    setImage(cluster, 'v2')
    settle(cluster)
    const [first] = cluster.store.list(ReplicaSet)
    cluster.store.update(Deployment, withTemplateOf(live(cluster), first!), 'kubectl')
    settle(cluster)
    expect(rollout(cluster)).toEqual(['v1 2/2', 'v2 0/0'])
    const { annotations } = cluster.store.get(ReplicaSet, keyOf(first!)).metadata
    expect(annotations).toMatchObject({ [REVISION]: '3', 'deployment.kubernetes.io/revision-history': '1' })
    expect(live(cluster).metadata.annotations?.[REVISION]).toBe('3')
    expect(progress(cluster)?.reason).toBe('NewReplicaSetAvailable')
  })
})

describe('progress', () => {
  const stuck = () => {
    const cluster = started(deploymentOf(3, { progressDeadlineSeconds: 60 }), {
      kubelet: { readyAfter: (pod) => (pod.spec.containers[0]!.image === 'v1' ? ms(100) : Number.POSITIVE_INFINITY) },
    })
    setImage(cluster, 'v2')
    return cluster
  }

  it('is given up when nothing has moved for progressDeadlineSeconds', () => {
    const cluster = stuck()
    const from = cluster.clock.now
    cluster.clock.runUntil(from + seconds(60))
    expect(progress(cluster)).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' })
    cluster.clock.runUntil(from + seconds(62))
    const [, v2] = cluster.store.list(ReplicaSet)
    expect(progress(cluster)).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `ReplicaSet "${v2!.metadata.name}" has timed out progressing.`,
    })
    expect(rollout(cluster)).toEqual(['v1 3/3', 'v2 0/1'])
  })

  it('is not judged while paused, and counts anew after', () => {
    const cluster = stuck()
    settle(cluster, seconds(30))
    const pause = (paused: boolean) => cluster.store.patch(Deployment, WEB, { spec: { paused } }, 'kubectl')
    pause(true)
    settle(cluster, minutes(10))
    expect(progress(cluster)).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' })
    pause(false)
    settle(cluster, seconds(59))
    expect(progress(cluster)).toMatchObject({ status: 'Unknown', reason: 'DeploymentResumed' })
    settle(cluster, seconds(4))
    expect(progress(cluster)).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
  })
})

describe('size', () => {
  it('changes a rolling Deployment in proportion, and says so once a set', () => {
    const cluster = started(
      deploymentOf(10, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } }),
      {
        kubelet: { readyAfter: (pod) => (pod.spec.containers[0]!.image === 'v1' ? ms(100) : Number.POSITIVE_INFINITY) },
      },
    )
    setImage(cluster, 'v2')
    settle(cluster)
    expect(rollout(cluster)).toEqual(['v1 8/8', 'v2 0/5'])
    cluster.store.patch(Deployment, WEB, { spec: { replicas: 15 } }, 'kubectl')
    settle(cluster)
    // 18 pods may be: 8 and 5 grow by 8×18/13 − 8 = 3 and the 2 that are left
    expect(rollout(cluster)).toEqual(['v1 11/11', 'v2 0/7'])
    expect(cluster.pods()).toHaveLength(18)
  })

  it('does not roll out while paused, but scales', () => {
    const cluster = started(deploymentOf(2))
    cluster.store.patch(Deployment, WEB, { spec: { paused: true, replicas: 4 } }, 'kubectl')
    setImage(cluster, 'v2')
    settle(cluster)
    expect(rollout(cluster)).toEqual(['v1 4/4'])
  })
})

describe('ReplicaSets', () => {
  it('of old templates are kept up to revisionHistoryLimit', () => {
    const cluster = started(deploymentOf(1, { revisionHistoryLimit: 2 }))
    for (const image of ['v2', 'v3', 'v4', 'v5']) {
      setImage(cluster, image)
      settle(cluster)
    }
    expect(rollout(cluster)).toEqual(['v3 0/0', 'v4 0/0', 'v5 1/1'])
  })

  it('that match and have no owner are adopted, not made again', () => {
    const cluster = started(deploymentOf(2))
    const [rs] = cluster.store.list(ReplicaSet)
    cluster.store.delete(Deployment, WEB, 'kubectl')
    cluster.store.patch(ReplicaSet, keyOf(rs!), { metadata: { ownerReferences: null } }, 'gc')
    cluster.store.create(Deployment, deploymentOf(2), 'kubectl')
    settle(cluster)
    expect(cluster.store.list(ReplicaSet)).toHaveLength(1)
    const adopted = cluster.store.get(ReplicaSet, keyOf(rs!))
    expect(adopted.metadata.ownerReferences?.[0]?.uid).toBe(live(cluster).metadata.uid)
    expect(cluster.pods()).toHaveLength(2)
  })

  it('report pods they cannot make through the Deployment', () => {
    const cluster = testCluster({ controllers })
    const deployment = deploymentOf(1)
    cluster.store.create(Deployment, deployment, 'kubectl')
    settle(cluster)
    const [rs] = cluster.store.list(ReplicaSet)
    const now = toRfc3339(cluster.clock.now)
    const condition = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'quota',
      lastTransitionTime: now,
    }
    cluster.store.patch(ReplicaSet, keyOf(rs!), { status: { conditions: [condition] } }, 'test', {
      subresource: 'status',
    })
    cluster.clock.runUntil(cluster.clock.now)
    const records = cluster.world.journal.records
    const copied = records.some(
      (r) => r.type === 'object' && r.kind === Deployment.id && JSON.stringify(r.value).includes('FailedCreate'),
    )
    expect(copied).toBe(true)
    expect(cluster.store.list(Pod)).toHaveLength(1)
  })
})

it('writes the same journal for the same seed, and another for another', () => {
  const journal = (seed: number) => {
    const cluster = started(deploymentOf(6), { profile: defaultProfile, seed })
    setImage(cluster, 'v2')
    settle(cluster)
    return JSON.stringify(cluster.world.journal.records)
  }
  expect(journal(7)).toBe(journal(7))
  expect(journal(7)).not.toBe(journal(8))
})
