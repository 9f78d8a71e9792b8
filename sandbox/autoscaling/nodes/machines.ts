import { GPU, type NodeGpus } from '../../gpus/gpu-plugin.ts'
import type { Node, Taint } from '../../kube/objects.ts'
import type { RunningNode } from '../../nodes/node.ts'
import { type NodeSpec, nodeObject, nodeResources } from '../../nodes/node-object.ts'
import { seconds, type Us } from '../../world/time.ts'

/** A machine that can be had: what its Node will look like. */
export interface MachineShape {
  /** Kubernetes quantities: `64`, `512Gi`. */
  readonly cpu: string
  readonly memory: string
  readonly gpu?: NodeGpus
  readonly pods?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  readonly instanceType?: string
  readonly zone?: string
  readonly region?: string
}

/** Where machines come from: the tier. */
export interface MachinePark {
  /** A machine was bought, and its kubelet starts now. Its GPUs are there when its device plugin registers, `pluginDelay` later. */
  addNode(name: string, shape: MachineShape, pluginDelay: Us): RunningNode
  /** The machine is given back: it is gone. Does nothing for one that is not there. */
  removeNode(name: string): void
  /** Whether the cloud has such a machine now; left out: always. */
  hasCapacity?(shape: MachineShape): boolean
}

/** How long something takes: what is taken for it, and between which bounds it was seen. */
export interface Delay {
  readonly typical: Us
  readonly low: Us
  readonly high: Us
  readonly source: string
}

/** How long a new machine takes to be of use. Give measured times where known. */
export interface ProvisioningDelays {
  /** From the order to a kubelet that registers: instance start, boot, joining. */
  readonly register: Us
  /** From there to allocatable GPUs: driver, toolkit and device plugin. Counts for machines with GPUs only. */
  readonly devicePlugin: Us
  /** Until a cloud that has no such machine says so. */
  readonly refusal: Us
}

/**
 * What is assumed where nobody measured. Together a GPU node is of use in 2 to 8 minutes: images that carry the driver at the
 * short end, a GPU operator that installs it at the long one.
 */
export const assumedDelays: Readonly<Record<keyof ProvisioningDelays, Delay>> = {
  register: {
    typical: seconds(90),
    low: seconds(45),
    high: seconds(240),
    source: 'assumed: EC2 and GCE instances of GPU families join a cluster in 45 s to 4 min after their order',
  },
  devicePlugin: {
    typical: seconds(90),
    low: seconds(20),
    high: seconds(300),
    source: 'assumed: 20 s with the driver in the image, up to 5 min where the GPU operator builds and installs it',
  },
  refusal: {
    typical: seconds(5),
    low: seconds(1),
    high: seconds(60),
    source:
      'assumed: EC2 CreateFleet answers InsufficientInstanceCapacity within seconds; managed groups report it later',
  },
}

export const typicalDelays: ProvisioningDelays = {
  register: assumedDelays.register.typical,
  devicePlugin: assumedDelays.devicePlugin.typical,
  refusal: assumedDelays.refusal.typical,
}

/** What a kubelet needs to know of itself. */
export const nodeSpecOf = (
  name: string,
  shape: MachineShape,
  addresses: { readonly ip: string; readonly podCIDR: string },
): NodeSpec => ({ ...shape, name, ...addresses })

/** The Node as an autoscaler imagines it: ready, empty, with its GPUs. */
export function templateNode(name: string, shape: MachineShape): Node {
  const spec = nodeSpecOf(name, shape, { ip: '0.0.0.0', podCIDR: '' })
  const { capacity, allocatable } = nodeResources(spec)
  const gpus: Record<string, string> = shape.gpu ? { [GPU]: String(shape.gpu.count) } : {}
  const resources = { capacity: { ...capacity, ...gpus }, allocatable: { ...allocatable, ...gpus } }
  const draft = nodeObject(spec, resources, 0)
  const metadata = { ...draft.metadata, name, uid: `template/${name}`, resourceVersion: '0', creationTimestamp: '' }
  return { ...draft, metadata } as Node
}
