import type { GpuSpec } from '../../../fixtures/gpus/gpu.ts'
import { gpus as known } from '../../../fixtures/gpus/index.ts'

/** The GPU that `seatrial.yaml` names by product or id; an H100 where it names none. */
export const gpuNamed = (
  named: { readonly product?: string | undefined; readonly id?: string | undefined },
  gpus: readonly GpuSpec[] = known,
): GpuSpec | undefined =>
  named.product === undefined && named.id === undefined
    ? gpus.find((gpu) => gpu.id === 'h100-sxm')
    : gpus.find((gpu) => gpu.product === named.product || gpu.id === (named.id ?? named.product))
