import type { Listers, Plugin } from '../framework/plugin.ts'
import { imageLocality } from '../framework/plugins/image-locality.ts'
import { interPodAffinity } from '../framework/plugins/inter-pod-affinity.ts'
import { nodeAffinity, nodeAffinityWith } from '../framework/plugins/node-affinity.ts'
import { nodeName } from '../framework/plugins/node-name.ts'
import { nodePorts } from '../framework/plugins/node-ports.ts'
import { nodeResourcesBalanced, nodeResourcesBalancedWith } from '../framework/plugins/node-resources-balanced.ts'
import { nodeResourcesFit, nodeResourcesFitWith } from '../framework/plugins/node-resources-fit.ts'
import { nodeUnschedulable } from '../framework/plugins/node-unschedulable.ts'
import { taintToleration } from '../framework/plugins/taint-toleration.ts'
import { topologySpread } from '../framework/plugins/topology-spread.ts'
import type { PluginArgs, SchedulerProfile } from './configuration.ts'

type Make = (listers: Listers, args: PluginArgs) => Plugin

const MAKE: Readonly<Record<string, Make>> = {
  NodeUnschedulable: () => nodeUnschedulable,
  NodeName: () => nodeName,
  TaintToleration: () => taintToleration,
  NodeAffinity: (_, { addedAffinity }) => (addedAffinity ? nodeAffinityWith(addedAffinity) : nodeAffinity),
  NodePorts: () => nodePorts,
  NodeResourcesFit: (_, { fit }) => (fit ? nodeResourcesFitWith(fit) : nodeResourcesFit),
  PodTopologySpread: (listers, { spreadDefaults }) =>
    topologySpread({ ...listers, ...(spreadDefaults && { spreadDefaults }) }),
  InterPodAffinity: (listers, { interPodAffinity: args }) => interPodAffinity(listers, args),
  NodeResourcesBalancedAllocation: (_, { balanced }) =>
    balanced ? nodeResourcesBalancedWith(balanced) : nodeResourcesBalanced,
  ImageLocality: () => imageLocality,
}

/**
 * The plugins of a profile, ready to be asked, in the order of the filters. `volumes` are those that are made elsewhere; without
 * them pods with claims go anywhere.
 */
export const pluginsOf = (
  { plugins, args }: SchedulerProfile,
  listers: Listers,
  volumes: readonly Plugin[] = [],
): readonly Plugin[] =>
  plugins.flatMap(({ name, weight, filters, scores }) => {
    const made = MAKE[name]?.(listers, args) ?? volumes.find((plugin) => plugin.name === name)
    if (!made) return []
    const { preFilter, filter, podChanged, cloneState, events, preScore, score, normalize, ...rest } = made
    const parts = {
      ...rest,
      weight,
      ...(filters && { preFilter, filter, podChanged, cloneState, events }),
      ...(scores && { preScore, score, normalize }),
    }
    return parts as Plugin
  })
