import type { Kube } from '../../kube/kube.ts'
import { Algorithm } from '../algorithm.ts'
import type { SchedulerCache } from '../cache.ts'
import { DEFAULT_SCHEDULER } from '../event-handlers.ts'
import type { Plugin } from '../framework/plugin.ts'
import { defaultPlugins } from '../framework/plugins/index.ts'
import type { Nominations } from '../framework/runtime.ts'
import { listersOver } from '../listers.ts'
import { Preemption } from '../preemption.ts'
import type { SchedulerOptions } from '../scheduler.ts'
import { volumePlugins } from '../volumes/plugins.ts'
import type { VolumeBinder } from '../volumes/volume-binder.ts'
import { pluginsOf } from './profile-plugins.ts'

/** How the pods of one `schedulerName` are placed. */
export interface Profile {
  readonly algorithm: Algorithm
  /** Undefined: no pod is sent away for another. */
  readonly preemption: Preemption | undefined
}

type Plugins = ReadonlyMap<string, readonly Plugin[]>

/** The plugins of each profile, by `schedulerName`. */
export function pluginsByScheduler(
  { configuration }: SchedulerOptions,
  kube: Kube,
  binder: VolumeBinder | undefined,
): Plugins {
  const listers = listersOver(kube)
  const volumes = binder && volumePlugins(binder)
  if (!configuration) return new Map([[DEFAULT_SCHEDULER, defaultPlugins(listers, volumes)]])
  return new Map(
    configuration.profiles.map((profile) => [profile.schedulerName, pluginsOf(profile, listers, volumes)] as const),
  )
}

export function profilesOf(
  plugins: Plugins,
  shared: { readonly cache: SchedulerCache; readonly nominations: Nominations },
  { world, configuration }: SchedulerOptions,
): ReadonlyMap<string, Profile> {
  const cursor = { next: 0 }
  const nodes = world.random('kube-scheduler/nodes')
  const victims = world.random('kube-scheduler/preemption')
  return new Map(
    [...plugins].map(([name, own]) => {
      const profile = configuration?.profiles.find(({ schedulerName }) => schedulerName === name)
      const percentageOfNodesToScore = profile?.percentageOfNodesToScore
      const algorithm = new Algorithm({ ...shared, plugins: own, random: nodes, percentageOfNodesToScore, cursor })
      const preempts = profile?.preempts ?? true
      const args = profile?.args.preemption
      return [
        name,
        { algorithm, preemption: preempts ? new Preemption({ ...shared, random: victims, args }) : undefined },
      ]
    }),
  )
}
