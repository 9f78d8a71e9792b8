import { z } from 'zod'
import { duration, price, text } from './figures.ts'

/** What `seatrial.yaml` may say of machines that are bought while a platform runs. `cpu`, `memory`, `gpu` as of node groups. */
export const provisioningOf = <C extends z.ZodType, M extends z.ZodType, G extends z.ZodType>(of: {
  cpu: C
  memory: M
  gpu: G
}) =>
  z.strictObject({
    /** From the order of a machine to a kubelet that registers. */
    joins: duration.optional(),
    /** From there to allocatable GPUs. */
    gpusAfter: duration.optional(),
    zones: z.array(text).min(1).optional(),
    instanceTypes: z
      .array(
        z.strictObject({
          name: text,
          cpu: of.cpu,
          memory: of.memory,
          gpu: of.gpu.optional(),
          price,
          spotPrice: price.optional(),
          labels: z.record(z.string(), z.string()).optional(),
        }),
      )
      .optional(),
    /** What the cloud has none of: `p5.48xlarge`, `p5.48xlarge/us-east-1a/spot`, `*`. */
    noCapacity: z.array(text).optional(),
  })
