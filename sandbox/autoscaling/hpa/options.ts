import { seconds, type Us } from '../../world/time.ts'
import type { MetricsClient } from '../metrics-client.ts'

/** How kube-controller-manager runs the controller. Follows pkg/controller/podautoscaler/config/v1alpha1/defaults.go. */
export interface HpaOptions {
  readonly metrics: MetricsClient
  /** --concurrent-horizontal-pod-autoscaler-syncs */
  readonly workers: number
  /** --horizontal-pod-autoscaler-sync-period */
  readonly syncPeriod: Us
  /** --horizontal-pod-autoscaler-downscale-stabilization */
  readonly downscaleStabilization: Us
  /** --horizontal-pod-autoscaler-cpu-initialization-period */
  readonly cpuInitializationPeriod: Us
  /** --horizontal-pod-autoscaler-initial-readiness-delay */
  readonly initialReadinessDelay: Us
  /** --horizontal-pod-autoscaler-tolerance: a share of the target. */
  readonly tolerance: number
  /** The feature gate HPAScaleToZero: alpha in 1.36, off. */
  readonly scaleToZero: boolean
}

export const hpaDefaults: Omit<HpaOptions, 'metrics'> = {
  workers: 5,
  syncPeriod: seconds(15),
  downscaleStabilization: seconds(300),
  cpuInitializationPeriod: seconds(300),
  initialReadinessDelay: seconds(30),
  tolerance: 0.1,
  scaleToZero: false,
}
