import type { Listers, Plugin } from '../plugin.ts'
import { imageLocality } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesBalanced } from './node-resources-balanced.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { taintToleration } from './taint-toleration.ts'
import { topologySpread } from './topology-spread.ts'

/**
 * The default profile of 1.36 in its order, without dynamic resources and declared features (see `unmodelledFields`).
 * `volumes` are the plugins of volumes, where claims are modelled.
 * Follows pkg/scheduler/apis/config/v1/default_plugins.go.
 */
export const defaultPlugins = (listers: Listers, volumes: readonly Plugin[] = []): readonly Plugin[] => [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  ...volumes,
  topologySpread(listers),
  interPodAffinity(listers),
  nodeResourcesBalanced,
  imageLocality,
]
