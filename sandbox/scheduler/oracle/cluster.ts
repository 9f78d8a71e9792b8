import { type Kind, keyOf, kindOf, Node, Pod } from '../../kube/kinds.ts'
import type { Index, Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { fromRfc3339 } from '../../world/time.ts'
import { SchedulerCache } from '../cache.ts'
import { parseSchedulerConfiguration, type SchedulerProfile } from '../config/configuration.ts'
import { pluginsOf } from '../config/profile-plugins.ts'
import type { Plugin } from '../framework/plugin.ts'
import { type PodInfo, podInfo } from '../framework/pod-info.ts'
import { listersOver } from '../listers.ts'
import { Nominator } from '../queue/nominator.ts'
import { volumePlugins } from '../volumes/plugins.ts'
import { VolumeBinder } from '../volumes/volume-binder.ts'
import type { SchedulingCase } from './case.ts'

/** The instant at which the clock of fixtures/oracles/scheduler stands. */
export const NOW = fromRfc3339('2000-01-01T00:00:00Z')

/** The parts of a scheduler, which have seen a cluster. */
export interface Bench {
  readonly kube: Kube
  readonly profile: SchedulerProfile
  readonly plugins: readonly Plugin[]
  readonly cache: SchedulerCache
  readonly nominations: Nominator
  /** The pod in question. */
  readonly pod: PodInfo
}

export function benchOf({ configuration, objects, pod: podKey }: SchedulingCase): Bench {
  const kube = kubeOf(objects)
  const [profile] = parseSchedulerConfiguration(configuration).profiles
  const binder = new VolumeBinder({ kube, clock: { now: NOW } as never })
  const cache = new SchedulerCache()
  const nominations = new Nominator((key) => kube.get(Pod, key))
  for (const node of kube.list(Node)) cache.setNode(node)
  for (const pod of kube.list(Pod)) {
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue
    if (pod.spec.nodeName) cache.addPod(pod)
    else if (pod.status?.nominatedNodeName) nominations.add(podInfo(pod), undefined)
  }
  return {
    ...{ kube, cache, nominations, profile: profile! },
    plugins: pluginsOf(profile!, listersOver(kube), volumePlugins(binder)),
    pod: podInfo(kube.get(Pod, podKey)!),
  }
}

/** A cache of objects that never change. */
function kubeOf(objects: readonly o.KubeObject[]): Kube {
  const byKind = new Map<string, o.KubeObject[]>()
  for (const object of objects) {
    const { id } = kindOf(object)
    byKind.set(id, [...(byKind.get(id) ?? []), object])
  }
  const list = <T extends o.KubeObject>(kind: Kind<T>) => (byKind.get(kind.id) ?? []) as unknown as readonly T[]
  return {
    list,
    get: (kind: Kind, key: string) => list(kind).find((object) => keyOf(object) === key),
    indexed: <T extends o.KubeObject>({ kind, values }: Index<T>, value: string) =>
      list(kind).filter((object) => values(object).includes(value)),
  } as unknown as Kube
}
