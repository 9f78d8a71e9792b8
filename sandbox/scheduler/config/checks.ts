import { z } from 'zod'
import type { Affinity, TopologySpreadConstraint } from '../../kube/objects.ts'
import { unsoundTerms } from '../framework/plugins/unsound-terms.ts'
import type { PluginArgs } from './configuration.ts'
import { pathText } from './schema.ts'

// follows pkg/scheduler/apis/config/validation/validation_pluginargs.go and apis/config/v1/defaults.go

const header = { apiVersion: z.string().optional(), kind: z.string().optional() }

const resources = z
  .array(z.strictObject({ name: z.string().min(1), weight: z.int().min(0).max(100).optional() }))
  .optional()

const point = z.strictObject({ utilization: z.int().min(0).max(100), score: z.int().min(0).max(10) })
const shape = z
  .array(point)
  .min(1, 'at least one point must be specified')
  .refine((points) => points.every((p, i) => i === 0 || points[i - 1]!.utilization < p.utilization), {
    message: 'utilization values must be sorted in increasing order',
  })

const strategy = z
  .strictObject({
    type: z.enum(['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio']).default('LeastAllocated'),
    resources,
    requestedToCapacityRatio: z.strictObject({ shape }).optional(),
  })
  .refine(({ type, requestedToCapacityRatio: ratio }) => type !== 'RequestedToCapacityRatio' || ratio, {
    message: 'must be specified when type is RequestedToCapacityRatio',
    path: ['requestedToCapacityRatio'],
  })
  .refine(({ type, requestedToCapacityRatio: ratio }) => type === 'RequestedToCapacityRatio' || !ratio, {
    message: 'must be nil when type is not RequestedToCapacityRatio',
    path: ['requestedToCapacityRatio'],
  })

const CPU_AND_MEMORY = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]

const groupName = z.string().refine((name) => !name.includes('/'), "resource group name can't contain '/'")

/** Each plugin's arguments, and what they come to. */
const ARGS: Readonly<Record<string, z.ZodType<PluginArgs>>> = {
  NodeResourcesFit: z
    .strictObject({
      ...header,
      ignoredResources: z.array(z.string()).default([]),
      ignoredResourceGroups: z.array(groupName).default([]),
      scoringStrategy: strategy.optional(),
    })
    .transform(({ ignoredResources, ignoredResourceGroups, scoringStrategy: given }) => {
      const weighted = given?.resources?.map(({ name, weight }) => ({ name, weight: weight || 1 }))
      const scored = given && {
        type: given.type,
        resources: weighted?.length ? weighted : CPU_AND_MEMORY,
        ...(given.requestedToCapacityRatio ? { shape: given.requestedToCapacityRatio.shape } : {}),
      }
      return { fit: { ignoredResources, ignoredResourceGroups, ...(scored ? { scoringStrategy: scored } : {}) } }
    }),
  NodeResourcesBalancedAllocation: z
    .strictObject({
      ...header,
      resources: z
        .array(z.strictObject({ name: z.string().min(1), weight: z.literal([0, 1], 'must be 1').optional() }))
        .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'a resource is given twice')
        .optional(),
    })
    .transform(({ resources: list }) => (list?.length ? { balanced: list.map(({ name }) => name) } : {})),
  InterPodAffinity: z
    .strictObject({
      ...header,
      hardPodAffinityWeight: z.int().min(0).max(100).default(1),
      ignorePreferredTermsOfExistingPods: z.boolean().default(false),
    })
    .transform(({ hardPodAffinityWeight, ignorePreferredTermsOfExistingPods }) => ({
      interPodAffinity: { hardPodAffinityWeight, ignorePreferredTermsOfExistingPods },
    })),
  NodeAffinity: z
    .strictObject({ ...header, addedAffinity: nodeAffinity().optional() })
    .superRefine(({ addedAffinity }, { addIssue }) => {
      for (const message of unsoundAffinity(addedAffinity)) addIssue(message)
    })
    .transform(({ addedAffinity }) => (addedAffinity ? { addedAffinity } : {})),
  PodTopologySpread: z
    .strictObject({
      ...header,
      defaultConstraints: z.array(spreadConstraint()).default([]),
      defaultingType: z.enum(['System', 'List']).default('System'),
    })
    .refine(({ defaultingType: type, defaultConstraints: list }) => type === 'List' || list.length === 0, {
      message: 'must be List when .defaultConstraints are not empty',
      path: ['defaultingType'],
    })
    .transform(({ defaultConstraints, defaultingType }) =>
      defaultingType === 'List' ? { spreadDefaults: defaultConstraints } : {},
    ),
  DefaultPreemption: z
    .strictObject({
      ...header,
      minCandidateNodesPercentage: z.int().min(0).max(100).default(10),
      minCandidateNodesAbsolute: z.int().min(0).default(100),
    })
    .refine((args) => args.minCandidateNodesPercentage + args.minCandidateNodesAbsolute > 0, {
      message: 'cannot be zero at the same time as minCandidateNodesAbsolute',
      path: ['minCandidateNodesPercentage'],
    })
    .transform(({ minCandidateNodesPercentage, minCandidateNodesAbsolute }) => ({
      preemption: { minCandidateNodesPercentage, minCandidateNodesAbsolute },
    })),
  // plugins that are not modelled: what they are told changes nothing
  VolumeBinding: z.unknown().transform(() => ({})),
  DynamicResources: z.unknown().transform(() => ({})),
}

function nodeAffinity() {
  const requirement = z.strictObject({
    key: z.string().min(1),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
    values: z.array(z.string()).optional(),
  })
  const term = z.strictObject({
    matchExpressions: z.array(requirement).optional(),
    matchFields: z.array(requirement).optional(),
  })
  return z.strictObject({
    requiredDuringSchedulingIgnoredDuringExecution: z.strictObject({ nodeSelectorTerms: z.array(term) }).optional(),
    preferredDuringSchedulingIgnoredDuringExecution: z
      .array(z.strictObject({ weight: z.int().min(1).max(100), preference: term }))
      .optional(),
  }) as unknown as z.ZodType<NonNullable<Affinity['nodeAffinity']>>
}

function unsoundAffinity(affinity: Affinity['nodeAffinity']): string[] {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return [
    ...unsoundTerms(required, 'addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'),
    ...unsoundTerms(
      preferred.map(({ preference }) => preference),
      'addedAffinity.preferredDuringSchedulingIgnoredDuringExecution',
    ),
  ]
}

function spreadConstraint() {
  return z.strictObject({
    maxSkew: z.int().min(1),
    topologyKey: z.string().min(1, 'can not be empty'),
    whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
    minDomains: z.int().min(1).optional(),
    nodeAffinityPolicy: z.enum(['Honor', 'Ignore']).optional(),
    nodeTaintsPolicy: z.enum(['Honor', 'Ignore']).optional(),
    labelSelector: z.undefined('constraint must not define a selector, as they deduced for each pod').optional(),
  }) as unknown as z.ZodType<TopologySpreadConstraint>
}

/** The arguments of a profile's plugins together. Adds to `problems` what is wrong with them. */
export function checkArgs(
  config: readonly { readonly name: string; readonly args?: unknown }[],
  path: string,
  problems: string[],
): PluginArgs {
  const made: PluginArgs = {}
  const seen = new Set<string>()
  for (const [i, { name, args }] of config.entries()) {
    const schema = ARGS[name]
    if (seen.has(name)) problems.push(`${path}[${i}]: ${name} is given twice`)
    seen.add(name)
    if (!schema) {
      problems.push(`${path}[${i}]: the plugin ${name} takes no arguments or is not one of kube-scheduler's own`)
      continue
    }
    const parsed = schema.safeParse(args ?? {})
    if (parsed.success) Object.assign(made, parsed.data)
    else
      for (const issue of parsed.error.issues)
        problems.push(`${path}[${i}].args${issue.path.length > 0 ? `.${pathText(issue.path)}` : ''}: ${issue.message}`)
  }
  return made
}
