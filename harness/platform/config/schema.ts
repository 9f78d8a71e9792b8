import { z } from 'zod'
import { compareQuantities, parseQuantity } from '../../../sandbox/kube/quantity.ts'
import { bandwidth, count, parsed, price, text } from './figures.ts'
import { QUANTITY } from './for-editors.ts'
import { slos, workload } from './load-schema.ts'
import { metrics } from './metrics-schema.ts'
import { container, image, model } from './model-schema.ts'
import { nodeGroupName } from './node-group-name.ts'
import { provisioningOf } from './provisioning-schema.ts'
import { cluster, render, waiver } from './repository-schema.ts'
import { parseBytes } from './units.ts'

/** Memory the kubelet keeps back: with no more than that a node has none for pods. Follows pkg/kubelet/eviction/defaults_linux.go. */
const EVICTION_MEMORY = '100Mi'
const NOTHING = parseQuantity('0')

/** A Kubernetes quantity as text; sizes such as 2TB become one. */
const memory = parsed((value) => {
  const text = String(value)
  const size = isQuantity(text) ? text : String(parseBytes(text))
  if (compareQuantities(parseQuantity(size), parseQuantity(EVICTION_MEMORY)) <= 0)
    throw new RangeError(
      `must be more than ${EVICTION_MEMORY}, which the kubelet keeps free (its eviction threshold), not ${text}`,
    )
  return size
}).meta(QUANTITY)
const cpu = parsed((value) => {
  const text = String(value)
  if (!isQuantity(text)) throw new RangeError(`not a CPU quantity: ${text.slice(0, 60)} (write it like 64 or 500m)`)
  if (compareQuantities(parseQuantity(text), NOTHING) <= 0) throw new RangeError(`must be more than 0, not ${text}`)
  return text
}).meta(QUANTITY)

const gpu = z.strictObject({ product: text.optional(), id: text.optional(), count: z.int().min(0).max(64) })

const nodeGroup = z.strictObject({
  name: text.optional(),
  count,
  min: z.int().min(0).optional(),
  max: count.optional(),
  gpu: gpu.optional(),
  cpu: cpu.optional(),
  memory: memory.optional(),
  labels: z.record(z.string(), z.string()).optional(),
  taints: z
    .array(
      z.strictObject({
        key: text,
        value: z.string().optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
      }),
    )
    .optional(),
  images: z.array(text).optional(),
})

/** What `seatrial.yaml` may say. Every part is optional; unknown keys are refused. */
export const configSchema = z.strictObject({
  name: text.optional(),
  /** Files, folders and globs, relative to this file. */
  manifests: z.array(text).min(1).optional(),
  render: render.optional(),
  nodes: z.array(nodeGroup).min(1).superRefine(namesOnce).optional(),
  models: z.record(z.string(), model).optional(),
  containers: z.record(z.string(), container).optional(),
  images: z.record(z.string(), image).optional(),
  registry: z.strictObject({ bandwidth: bandwidth.optional() }).optional(),
  workloads: z.record(z.string(), workload).optional(),
  slos: slos.optional(),
  prices: z.record(z.string(), price).optional(),
  scenarios: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  waivers: z.array(waiver).optional(),
  cluster: cluster.optional(),
  provisioning: provisioningOf({ cpu, memory, gpu }).optional(),
  metrics: metrics.optional(),
})

/** Nodes are named after their group. The issue is at the later name that is written. */
function namesOnce(groups: readonly { name?: string | undefined }[], context: z.core.$RefinementCtx): void {
  const first = new Map<string, number>()
  for (const [i, group] of groups.entries()) {
    const name = nodeGroupName(group, i)
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, i)
    else
      context.addIssue({
        code: 'custom',
        path: [group.name === undefined ? earlier : i, 'name'],
        message: `another node group is called ${name} too`,
      })
  }
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text)
    return true
  } catch {
    return false
  }
}
