/** The functions of Kubernetes that the comparisons of controllers are about. */
export const REACHED = {
  'deployment_util.go: sizes and shares of a rollout':
    /deployment_util\.go:(ResolveFenceposts|NewRSNewReplicas|GetReplicaSetProportion|getReplicaSetFraction|MaxSurge|MaxUnavailable|IsSaturated|FindActiveOrLatest|GetTerminating\w+)$/,
  'deployment_util.go: complete, progressing, timed out':
    /deployment_util\.go:Deployment(Complete|Progressing|TimedOut)$/,
  'controller_utils.go: ActivePodsWithRanks':
    /controller_utils\.go:(ActivePodsWithRanks\.|logarithmicRankDiff|podReadyTime|maxContainerRestarts|afterOrZero|IsPodActive)/,
  'job: backoff_utils.go': /controller\/job\/backoff_utils\.go:/,
  'job: pod_failure_policy.go, success_policy.go':
    /controller\/job\/(pod_failure_policy\.go:match|success_policy\.go:match)/,
  'tainteviction: getMinTolerationTime': /taint_eviction\.go:getMinTolerationTime$/,
  'disruption: countHealthyPods': /disruption\.go:countHealthyPods$/,
}
