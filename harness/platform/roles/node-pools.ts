import { gpuById } from '../../../fixtures/gpus/lookup.ts'
import { instanceCatalogues } from '../../../fixtures/instance-types/index.ts'
import type { InstanceCatalogue, InstanceTypeSpec } from '../../../fixtures/instance-types/instance-type.ts'
import {
  type Candidate,
  candidatesOf,
  type InstanceType,
} from '../../../sandbox/autoscaling/nodes/karpenter/candidates.ts'
import { isWellKnown } from '../../../sandbox/autoscaling/nodes/karpenter/requirements.ts'
import type { NodePool, NodeRequirement } from '../../../sandbox/kube/objects.ts'
import type { NodeGroupConfig } from '../config/config.ts'
import { groupOf, type Platform, type PlatformObject } from '../platform.ts'
import { readOnce } from '../read-once.ts'
import { gpuNamed } from './gpu-named.ts'
import { podTemplatesOf } from './pod-templates.ts'

/** A NodePool among the manifests and what could be bought for it. */
export interface FoundPool {
  readonly object: PlatformObject
  readonly pool: NodePool
  /** By the requirements whose keys the instance types are known by; cheapest first. */
  readonly candidates: readonly Candidate[]
  /** Requirements of keys that nobody here knows of the instance types. */
  readonly unknown: readonly { readonly key: string; readonly index: number }[]
  /** Whether the cloud of its node class is known, or instance types are given. */
  readonly isKnown: boolean
}

export interface NodePools {
  /** The greatest weight first. */
  readonly pools: readonly FoundPool[]
  /** Everything the clouds sell that the pools buy from. */
  readonly catalogue: readonly InstanceType[]
}

/** Spot as a share of the price on demand, where it is not given: what GPU instances went for on average. */
export const SPOT_SHARE = 0.4

/** The NodePools of a platform. */
export const nodePoolsOf = readOnce(readPools)

function readPools(platform: Platform): NodePools {
  const objects = platform.objects.filter(
    ({ manifest }) => manifest.kind === 'NodePool' && groupOf(manifest.apiVersion) === 'karpenter.sh',
  )
  if (objects.length === 0) return { pools: [], catalogue: [] }
  const zones = zonesNamed(platform, objects)
  const given = givenTypes(platform, zones)
  const clouds = new Set(objects.flatMap((object) => cloudOf(object) ?? []))
  const sold = [...clouds].flatMap((cloud) => typesOf(cloud, zones ?? cloud.zones))
  const catalogue = [...given, ...sold.filter(({ name }) => !given.some((one) => one.name === name))]
  const pools = objects.map((object) => poolOf(object, catalogue, given.length > 0))
  return { catalogue, pools: pools.sort(byWeight) }
}

const byWeight = ({ pool: a }: FoundPool, { pool: b }: FoundPool): number =>
  (b.spec.weight ?? 0) - (a.spec.weight ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1)

function poolOf(object: PlatformObject, catalogue: readonly InstanceType[], given: boolean): FoundPool {
  const pool = object.manifest as unknown as NodePool
  const requirements = requirementsOf(object)
  const keys = new Set(catalogue.flatMap(({ shape }) => Object.keys(shape.labels ?? {})))
  const isStrange = ({ key }: NodeRequirement) => isWellKnown(key) && !GENERAL.has(key) && !keys.has(key)
  const unknown = requirements.flatMap((one, index) => (isStrange(one) ? [{ key: one.key, index }] : []))
  const { template } = pool.spec ?? {}
  const readable = {
    ...pool,
    spec: {
      ...pool.spec,
      template: { ...template, spec: { ...template?.spec, requirements: requirements.filter((r) => !isStrange(r)) } },
    },
  } as NodePool
  return {
    object,
    pool,
    unknown,
    candidates: candidatesOf(readable, catalogue),
    isKnown: given || cloudOf(object) !== undefined,
  }
}

/** Labels every node has. */
const GENERAL: ReadonlySet<string> = new Set([
  ...['kubernetes.io/arch', 'kubernetes.io/os', 'node.kubernetes.io/instance-type', 'beta.kubernetes.io/arch'],
  ...['topology.kubernetes.io/zone', 'topology.kubernetes.io/region', 'karpenter.sh/capacity-type'],
  ...['karpenter.sh/nodepool', 'beta.kubernetes.io/os', 'nvidia.com/gpu.product', 'nvidia.com/gpu.present'],
])

export function requirementsOf({ manifest }: PlatformObject): readonly NodeRequirement[] {
  const { spec } = manifest as unknown as Partial<NodePool>
  const { requirements } = spec?.template?.spec ?? {}
  return Array.isArray(requirements) ? requirements : []
}

export function nodeClassOf({ manifest }: PlatformObject): { group?: string; kind?: string; name?: string } {
  const { spec } = manifest as unknown as Partial<NodePool>
  return spec?.template?.spec?.nodeClassRef ?? {}
}

function cloudOf(object: PlatformObject): InstanceCatalogue | undefined {
  const { kind = '' } = nodeClassOf(object)
  return instanceCatalogues.find(({ nodeClasses }) => nodeClasses.includes(kind))
}

const ZONE = 'topology.kubernetes.io/zone'

/** Zones that seatrial.yaml, the pools or the pods name; undefined: none does. */
function zonesNamed(platform: Platform, pools: readonly PlatformObject[]): readonly string[] | undefined {
  const { zones } = platform.config?.provisioning ?? {}
  if (zones) return zones
  const required = pools.flatMap((object) =>
    requirementsOf(object).flatMap(({ key, operator, values = [] }) =>
      key === ZONE && operator === 'In' ? values : [],
    ),
  )
  const selected = platform.objects.flatMap((object) =>
    podTemplatesOf(object).flatMap(({ spec }) => spec.nodeSelector?.[ZONE] ?? []),
  )
  const named = [...new Set([...required, ...selected])].sort()
  return named.length > 0 ? named : undefined
}

const typesOf = ({ types, memoryOverhead, labels }: InstanceCatalogue, zones: readonly string[]): InstanceType[] =>
  types.map((type) => ({
    name: type.name,
    shape: {
      cpu: String(type.vcpus),
      memory: `${Math.floor(type.memoryGib * 1024 * (1 - memoryOverhead))}Mi`,
      ...gpuOf(type),
      labels: { ...labels(type) },
    },
    offerings: offeringsOf(zones, type.pricePerHour, SPOT_SHARE * type.pricePerHour),
  }))

function gpuOf({ gpu }: InstanceTypeSpec): Pick<InstanceType['shape'], 'gpu'> {
  const spec = gpu && gpuById(gpu.id)
  return spec ? { gpu: { product: spec.product, memoryBytes: spec.memoryBytes, count: gpu.count } } : {}
}

const offeringsOf = (zones: readonly string[], price: number, spotPrice: number): InstanceType['offerings'] =>
  zones.flatMap((zone) => [
    { zone, capacityType: 'on-demand' as const, pricePerHour: price },
    { zone, capacityType: 'spot' as const, pricePerHour: spotPrice },
  ])

/** Instance types that seatrial.yaml gives. */
function givenTypes({ config }: Platform, zones: readonly string[] = ['zone-a']): InstanceType[] {
  return (config?.provisioning?.instanceTypes ?? []).map(({ name, cpu, memory, gpu, price, spotPrice, labels }) => ({
    name,
    shape: { cpu, memory, ...givenGpu(gpu), ...(labels ? { labels } : {}) },
    offerings: offeringsOf(zones, price.value, spotPrice?.value ?? SPOT_SHARE * price.value),
  }))
}

function givenGpu(gpu: NodeGroupConfig['gpu']): Pick<InstanceType['shape'], 'gpu'> {
  const spec = gpu && gpu.count > 0 ? gpuNamed(gpu) : undefined
  return spec ? { gpu: { product: spec.product, memoryBytes: spec.memoryBytes, count: gpu!.count } } : {}
}
