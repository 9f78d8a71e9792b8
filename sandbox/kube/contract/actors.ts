import { expect, it } from 'vitest'
import { runController } from '../../controllers/controller.ts'
import { replicaSetController } from '../../controllers/replicaset.ts'
import { seconds } from '../../world/time.ts'
import { podsByController } from '../indexes.ts'
import { keyOf, Pod, ReplicaSet } from '../kinds.ts'
import type * as o from '../objects.ts'
import { isActive } from '../pods.ts'
import { type Place, pod, replicaSet } from './place.ts'

/** A controller at work. */
export function describeActors(at: () => Place): void {
  it('runs the ReplicaSet controller: up to 25, down to 3, lets go of a pod and takes in another', async () => {
    const place = at()
    const { namespace, world } = place
    const manager = await place.kube('kube-controller-manager', ReplicaSet, Pod)
    const user = await place.kube('kubectl', ReplicaSet, Pod)
    const workers = runController(replicaSetController, { world, kube: manager })
    try {
      const rs = await place.run(user.create(ReplicaSet, replicaSet(place, 'web', 0)))
      const key = keyOf(rs)
      const scale = (replicas: number) => place.run(user.patch(ReplicaSet, key, { spec: { replicas } }))
      const pods = () => user.indexed(podsByController, rs.metadata.uid).filter(isActive)
      const settled = (replicas: number) => () =>
        pods().length === replicas && user.get(ReplicaSet, key)?.status.replicas === replicas
      await scale(25)
      await place.until(settled(25), seconds(60))
      await scale(3)
      await place.until(settled(3), seconds(60))

      const released = pods()[0]!
      await place.run(user.patch(Pod, keyOf(released), { metadata: { labels: { app: 'suspect' } } }))
      await place.until(
        () => settled(3)() && !pods().some((p) => p.metadata.uid === released.metadata.uid),
        seconds(60),
      )
      const kept = await place.run(user.read(Pod, keyOf(released)))
      expect(kept.metadata.ownerReferences ?? []).toEqual([])

      await place.run(user.create(Pod, { ...pod(place, 'stray', { labels: { app: 'web' } }) }))
      const one = (p: o.Pod) => p.metadata.namespace === namespace && p.metadata.name === 'stray'
      // it is one too many now: the stray or another goes
      await place.until(
        () => user.list(Pod, { namespace }).every((p) => !one(p) || p.metadata.ownerReferences?.length === 1),
        seconds(60),
      )
      await place.until(settled(3), seconds(60))
    } finally {
      for (const worker of workers) worker.stop()
    }
  })
}
