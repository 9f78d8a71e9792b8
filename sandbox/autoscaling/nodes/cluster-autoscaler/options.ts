import { minutes, seconds, type Us } from '../../../world/time.ts'
import type { MachineShape } from '../machines.ts'

/** A group of machines that are alike, as a cloud's auto scaling group. */
export interface NodeGroupOptions {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly shape: MachineShape
  /** Names of the nodes it has at the start. */
  readonly nodes?: readonly string[]
}

/** The flags of cluster-autoscaler that are modelled, with its defaults. Follows cluster-autoscaler/config/flags/flags.go. */
export interface ClusterAutoscalerFlags {
  readonly scanInterval: Us
  readonly expander: 'random' | 'least-waste' | 'most-pods' | 'least-nodes' | 'priority'
  readonly maxNodesTotal: number
  readonly maxNodeProvisionTime: Us
  readonly scaleDownEnabled: boolean
  readonly scaleDownDelayAfterAdd: Us
  readonly scaleDownDelayAfterFailure: Us
  readonly scaleDownDelayAfterDelete: Us
  readonly scaleDownUnneededTime: Us
  readonly scaleDownUnreadyEnabled: boolean
  readonly scaleDownUnreadyTime: Us
  readonly scaleDownUtilizationThreshold: number
  readonly scaleDownGpuUtilizationThreshold: number
  readonly maxScaleDownParallelism: number
  readonly maxDrainParallelism: number
  readonly unremovableNodeRecheckTimeout: Us
  readonly maxBulkSoftTaintCount: number
  readonly cordonNodeBeforeTerminating: boolean
  readonly okTotalUnreadyCount: number
  readonly maxTotalUnreadyPercentage: number
  readonly ignoreDaemonsetsUtilization: boolean
  readonly skipNodesWithCustomControllerPods: boolean
  readonly maxGracefulTerminationSeconds: number
  readonly maxPodEvictionTime: Us
  readonly initialNodeGroupBackoff: Us
  readonly maxNodeGroupBackoff: Us
  readonly nodeGroupBackoffReset: Us
  readonly skipNodesWithSystemPods: boolean
  readonly skipNodesWithLocalStorage: boolean
  /**
   * The label by which the cloud provider knows nodes that will have GPUs: `k8s.amazonaws.com/accelerator`,
   * `cloud.google.com/gke-accelerator`. Such a node counts as coming until its GPUs are there; without the label a node that is
   * Ready before its device plugin has registered counts as having none, and more nodes are ordered.
   */
  readonly gpuLabel: string | undefined
  readonly expendablePodsPriorityCutoff: number
}

export const defaultFlags: ClusterAutoscalerFlags = {
  scanInterval: seconds(10),
  expander: 'least-waste',
  maxNodesTotal: 0,
  maxNodeProvisionTime: minutes(15),
  scaleDownEnabled: true,
  scaleDownDelayAfterAdd: minutes(10),
  scaleDownDelayAfterFailure: minutes(3),
  scaleDownDelayAfterDelete: 0,
  scaleDownUnneededTime: minutes(10),
  scaleDownUnreadyEnabled: true,
  scaleDownUnreadyTime: minutes(20),
  scaleDownUtilizationThreshold: 0.5,
  scaleDownGpuUtilizationThreshold: 0.5,
  maxScaleDownParallelism: 10,
  maxDrainParallelism: 1,
  unremovableNodeRecheckTimeout: minutes(5),
  maxBulkSoftTaintCount: 10,
  cordonNodeBeforeTerminating: true,
  okTotalUnreadyCount: 3,
  maxTotalUnreadyPercentage: 45,
  ignoreDaemonsetsUtilization: false,
  skipNodesWithCustomControllerPods: true,
  maxGracefulTerminationSeconds: 600,
  maxPodEvictionTime: minutes(2),
  initialNodeGroupBackoff: minutes(5),
  maxNodeGroupBackoff: minutes(30),
  nodeGroupBackoffReset: minutes(180),
  skipNodesWithSystemPods: true,
  skipNodesWithLocalStorage: true,
  gpuLabel: undefined,
  expendablePodsPriorityCutoff: -10,
}
