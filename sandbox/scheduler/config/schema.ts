import { z } from 'zod'

// the shape of kubescheduler.config.k8s.io/v1; follows k8s.io/kube-scheduler/config/v1/types.go

const plugin = z.strictObject({ name: z.string().min(1), weight: z.int().min(0).optional() })

const pluginSet = z.strictObject({
  enabled: z.array(plugin).optional(),
  disabled: z.array(plugin).optional(),
})

export type PluginSet = z.infer<typeof pluginSet>

/** The points at which plugins are asked, and `multiPoint`, which means all of them. */
export const POINTS = [
  ...['preEnqueue', 'queueSort', 'preFilter', 'filter', 'postFilter', 'preScore', 'score', 'reserve'],
  ...['permit', 'preBind', 'bind', 'postBind', 'placementGenerate', 'placementScore', 'multiPoint'],
] as const

const plugins = z.partialRecord(z.enum(POINTS as unknown as [string, ...string[]]), pluginSet)

export type PluginSets = Readonly<Partial<Record<string, PluginSet>>>

const percentage = z.int().min(0).max(100)

const profile = z.strictObject({
  schedulerName: z.string().min(1).optional(),
  percentageOfNodesToScore: percentage.optional(),
  plugins: plugins.optional(),
  pluginConfig: z.array(z.strictObject({ name: z.string().min(1), args: z.unknown() })).optional(),
})

export type ProfileInput = z.infer<typeof profile>

const NO_EXTENDERS =
  'HTTP extenders are not modelled. Leave them out, or try the platform on a tier with a real scheduler'
const NO_LIMITS = 'set by the lag profile: choose one with other limits instead'

/** Limits of the client are part of the lag profile; upstream's own may stand. */
const connection = z.looseObject({
  qps: z.literal([0, 50], NO_LIMITS).optional(),
  burst: z.literal([0, 100], NO_LIMITS).optional(),
})

export const configurationSchema = z.strictObject({
  apiVersion: z.literal('kubescheduler.config.k8s.io/v1', 'must be kubescheduler.config.k8s.io/v1'),
  kind: z.literal('KubeSchedulerConfiguration', 'must be KubeSchedulerConfiguration'),
  profiles: z.array(profile).optional(),
  percentageOfNodesToScore: percentage.optional(),
  podInitialBackoffSeconds: z.int().min(1).default(1),
  podMaxBackoffSeconds: z.int().min(1).default(10),
  extenders: z.array(z.unknown()).max(0, NO_EXTENDERS).optional(),
  clientConnection: connection.optional(),
  // what has no bearing on where pods go
  parallelism: z.int().min(1).optional(),
  leaderElection: z.unknown().optional(),
  enableProfiling: z.boolean().optional(),
  enableContentionProfiling: z.boolean().optional(),
  delayCacheUntilActive: z.boolean().optional(),
  healthzBindAddress: z.string().optional(),
  metricsBindAddress: z.string().optional(),
})

/** `profiles[0].plugins.score`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`)).join('')
