import type { z } from 'zod'
import type { Affinity, TopologySpreadConstraint } from '../../kube/objects.ts'
import { seconds, type Us } from '../../world/time.ts'
import type { InterPodAffinityArgs } from '../framework/plugins/affinity-score.ts'
import type { FitArgs } from '../framework/plugins/node-resources-fit.ts'
import type { PreemptionArgs } from '../preemption.ts'
import { checkArgs } from './checks.ts'
import { type PluginUse, usedPlugins } from './plugin-sets.ts'
import { configurationSchema, type ProfileInput, pathText } from './schema.ts'

/** What a kube-scheduler is told to do. */
export interface SchedulerConfiguration {
  readonly profiles: readonly SchedulerProfile[]
  /** How long a pod that fits nowhere waits at first, and at most. */
  readonly podBackoff: { readonly initial: Us; readonly max: Us }
}

/** How the pods of one `schedulerName` are placed. */
export interface SchedulerProfile {
  readonly schedulerName: string
  /** In percent; 0: fewer the more nodes there are. */
  readonly percentageOfNodesToScore: number
  /** In the order of the filters. */
  readonly plugins: readonly PluginUse[]
  /** Whether pods that fit nowhere may send others away. */
  readonly preempts: boolean
  readonly args: PluginArgs
}

/** Arguments of plugins; what is undefined stays as upstream's default. */
export interface PluginArgs {
  readonly fit?: FitArgs | undefined
  /** The resources NodeResourcesBalancedAllocation evens out. */
  readonly balanced?: readonly string[] | undefined
  readonly interPodAffinity?: InterPodAffinityArgs | undefined
  readonly addedAffinity?: NonNullable<Affinity['nodeAffinity']> | undefined
  readonly spreadDefaults?: readonly TopologySpreadConstraint[] | undefined
  readonly preemption?: PreemptionArgs | undefined
}

/** A KubeSchedulerConfiguration that cannot be followed: what is wrong where, or what is not modelled. */
export class SchedulerConfigurationError extends Error {
  readonly code = 'scheduler-configuration'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The scheduler's configuration cannot be used: ${problems.join('; ')}`)
    this.name = 'SchedulerConfigurationError'
    this.problems = problems
  }
}

/**
 * Reads a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) as an object from YAML. Extenders, plugins of others and
 * extension points that are not modelled are refused by name; what does not bear on placement (leader election, profiling,
 * parallelism, arguments of volume and device plugins) is passed over. Throws a SchedulerConfigurationError.
 * Follows pkg/scheduler/apis/config/v1/{defaults,default_plugins}.go and apis/config/validation.
 */
export function parseSchedulerConfiguration(value: unknown): SchedulerConfiguration {
  const parsed = configurationSchema.safeParse(value)
  if (!parsed.success) throw new SchedulerConfigurationError(problemsOf(parsed.error))
  const {
    profiles,
    podInitialBackoffSeconds: initial,
    podMaxBackoffSeconds: max,
    percentageOfNodesToScore,
  } = parsed.data
  const problems: string[] = []
  if (max < initial) problems.push('podMaxBackoffSeconds: must be greater than or equal to podInitialBackoffSeconds')
  const given: readonly ProfileInput[] = profiles?.length ? profiles : [{}]
  const names = new Set<string>()
  const made = given.map((profile, i) => {
    const path = `profiles[${i}]`
    const schedulerName = profile.schedulerName ?? (given.length === 1 ? 'default-scheduler' : '')
    if (schedulerName === '') problems.push(`${path}.schedulerName: required where there are several profiles`)
    if (names.has(schedulerName)) problems.push(`${path}.schedulerName: "${schedulerName}" is given twice`)
    names.add(schedulerName)
    const { plugins, preempts } = usedPlugins(profile.plugins ?? {}, `${path}.plugins`, problems)
    const args = checkArgs(profile.pluginConfig ?? [], `${path}.pluginConfig`, problems)
    const percentage = profile.percentageOfNodesToScore ?? percentageOfNodesToScore ?? 0
    return { schedulerName, percentageOfNodesToScore: percentage, plugins, preempts, args }
  })
  if (problems.length > 0) throw new SchedulerConfigurationError(problems)
  return { profiles: made, podBackoff: { initial: seconds(initial), max: seconds(max) } }
}

const problemsOf = (error: z.ZodError): string[] =>
  error.issues.map(({ path, message }) => (path.length > 0 ? `${pathText(path)}: ${message}` : message))
