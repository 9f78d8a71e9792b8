import { gpuLabels, type NodeGpus } from '../gpus/gpu-plugin.ts'
import type { Condition, Draft, Node, Taint } from '../kube/objects.ts'
import { addQuantities, formatQuantity, parseQuantity } from '../kube/quantity.ts'
import { toRfc3339, type Us } from '../world/time.ts'

/** A node as its platform describes it. */
export interface NodeSpec {
  readonly name: string
  /** Kubernetes quantities: `64`, `512Gi`. */
  readonly cpu: string
  readonly memory: string
  readonly ephemeralStorage?: string
  readonly pods?: number
  /** Taken from allocatable for the system and the kubelet, besides the eviction threshold. Upstream reserves nothing by default. */
  readonly reserved?: { readonly cpu?: string; readonly memory?: string }
  readonly gpu?: NodeGpus
  /** Other extended resources, by name. They are counted, not handed out one by one. */
  readonly extended?: Readonly<Record<string, number>>
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  readonly instanceType?: string
  readonly zone?: string
  readonly region?: string
  /** Images on the node from the start. */
  readonly images?: readonly string[]
  readonly ip: string
  readonly podCIDR: string
}

/** A kubelet's own API, by a type of node address that the API server is told to prefer. */
export interface KubeletAddress {
  readonly type: string
  readonly address: string
  readonly port: number
}

/** Upstream's --enable-controller-attach-detach, true by default: the kubelet attaches no volumes itself. */
const ATTACHED_BY_CONTROLLER = 'volumes.kubernetes.io/controller-managed-attach-detach'

/** The default hard eviction threshold `memory.available<100Mi`. Follows pkg/kubelet/eviction/defaults_linux.go. */
const EVICTION_MEMORY = '100Mi'

/** The Node object a kubelet registers. Follows pkg/kubelet/kubelet_node_status.go and pkg/kubelet/nodestatus/setters.go. */
export function nodeObject(
  spec: NodeSpec,
  resources: { capacity: Record<string, string>; allocatable: Record<string, string> },
  now: Us,
  api?: KubeletAddress,
): Draft<Node> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: spec.name, labels: labelsOf(spec), annotations: { [ATTACHED_BY_CONTROLLER]: 'true' } },
    spec: { podCIDR: spec.podCIDR, ...(spec.taints?.length ? { taints: [...spec.taints] } : {}) },
    status: {
      ...resources,
      conditions: kubeletConditions([], now),
      addresses: [
        { type: 'InternalIP', address: spec.ip },
        { type: 'Hostname', address: spec.name },
        ...(api ? [{ type: api.type, address: api.address }] : []),
      ],
      // WebSockets come to the kubelet as the client made them. Follows pkg/registry/core/pod/rest/subresources.go
      ...(api
        ? { daemonEndpoints: { kubeletEndpoint: { Port: api.port } }, declaredFeatures: ['ExtendWebSocketsToKubelet'] }
        : {}),
      nodeInfo: { kubeletVersion: 'v1.36.3', operatingSystem: 'linux', architecture: 'amd64' },
    },
  }
}

/** What a kubelet says of itself. `False` with a reason while it shuts down. */
export type Readiness = Pick<Condition, 'status' | 'reason' | 'message'>

export const READY: Readiness = { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }

const PRESSURES: readonly Pick<Condition, 'type' | 'reason' | 'message'>[] = [
  {
    type: 'MemoryPressure',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  { type: 'DiskPressure', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
  { type: 'PIDPressure', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
]

const own = (ready: Readiness): Condition[] => [
  ...PRESSURES.map((c) => ({ ...c, status: 'False' as const })),
  { type: 'Ready', ...ready },
]

/** A node's conditions with the kubelet's own as it posts them now; those of others stay. Follows nodestatus/setters.go. */
export function kubeletConditions(before: readonly Condition[], now: Us, ready = READY): Condition[] {
  const at = toRfc3339(now)
  const mine = own(ready).map((c) => {
    const old = before.find((b) => b.type === c.type)
    const lastTransitionTime = old?.status === c.status ? (old.lastTransitionTime ?? at) : at
    return { ...c, lastHeartbeatTime: at, lastTransitionTime }
  })
  return [...before.filter((b) => !mine.some((c) => c.type === b.type)), ...mine]
}

/** Whether somebody else changed what the kubelet posts. */
export const saysOtherwise = (conditions: readonly Condition[] | undefined, ready = READY): boolean =>
  own(ready).some((c) => {
    const posted = conditions?.find((p) => p.type === c.type)
    return posted?.status !== c.status || posted.reason !== c.reason
  })

/** What the node has, and what of it pods may request, devices aside. Follows GetNodeAllocatableReservation. */
export function nodeResources(spec: NodeSpec): {
  capacity: Record<string, string>
  allocatable: Record<string, string>
} {
  const storage = spec.ephemeralStorage ?? '500Gi'
  const extended = Object.fromEntries(Object.entries(spec.extended ?? {}).map(([name, n]) => [name, String(n)]))
  const pods = String(spec.pods ?? 110)
  const common = { 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', pods, ...extended }
  return {
    capacity: { cpu: spec.cpu, memory: spec.memory, 'ephemeral-storage': storage, ...common },
    allocatable: {
      cpu: less(spec.cpu, spec.reserved?.cpu ?? '0'),
      memory: less(less(spec.memory, spec.reserved?.memory ?? '0'), EVICTION_MEMORY),
      // nodefs.available<10%
      'ephemeral-storage': formatQuantity({
        nanos: (parseQuantity(storage).nanos / 10n / 1_000_000_000n) * 9n * 1_000_000_000n,
        format: 'DecimalSI',
      }),
      ...common,
    },
  }
}

function less(amount: string, taken: string): string {
  const minus = parseQuantity(taken)
  return formatQuantity(addQuantities(parseQuantity(amount), { ...minus, nanos: -minus.nanos }))
}

function labelsOf(spec: NodeSpec): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/os': 'linux',
    'kubernetes.io/hostname': spec.name,
    ...(spec.instanceType ? { 'node.kubernetes.io/instance-type': spec.instanceType } : {}),
    ...(spec.zone ? { 'topology.kubernetes.io/zone': spec.zone } : {}),
    ...(spec.region ? { 'topology.kubernetes.io/region': spec.region } : {}),
    ...(spec.gpu ? gpuLabels(spec.gpu) : {}),
    ...spec.labels,
  }
}

/** The address and the range of pod addresses of the node with this number, from 0: room for 65,536 nodes of 254 pods. */
export function nodeAddresses(index: number): { ip: string; podCIDR: string } {
  if (index < 0 || index >= 65_536) throw new RangeError(`no address for node number ${index}: there are 65536`)
  const [high, low] = [index >> 8, index & 255]
  // 10.96/12 is the Service range, so pods begin at 10.128 and wrap into 100.64/10 and 11/8 is never needed below 32768
  const pods = high < 128 ? `10.${128 + high}.${low}.0/24` : `100.${high - 128}.${low}.0/24`
  return { ip: `172.${16 + (high >> 4)}.${((high & 15) << 4) | (low >> 4)}.${(low & 15) * 16 + 1}`, podCIDR: pods }
}
