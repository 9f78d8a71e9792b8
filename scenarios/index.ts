import type { Scenario } from '../harness/scenario.ts'
import badModelConfig from './bad-model-config/scenario.ts'
import livenessKillsLoading from './liveness-kills-loading/scenario.ts'
import rolloutOnFullGpus from './rollout-on-full-gpus/scenario.ts'

/** Every scenario, in the order of slugs. */
export const scenarios: readonly Scenario[] = [badModelConfig, livenessKillsLoading, rolloutOnFullGpus]
