import { gpus } from '../../fixtures/gpus/index.ts'
import type { NodeGroup } from '../../sandbox/tiers/tier.ts'
import { gpuNamed } from '../platform/roles/gpu-named.ts'
import { suggest } from '../platform/suggest.ts'

/** What of the nodes was asked for: a number of them, and the GPUs of each. */
export interface AskedNodes {
  readonly nodes?: number
  readonly gpu?: AskedGpus
}

export interface AskedGpus {
  readonly product: string
  readonly memoryBytes: number
  readonly count: number
}

/** The nodes of a sandbox when nobody says: an inference cluster as it is often begun with. */
const DEFAULT = { nodes: 4, gpu: 'h100-sxm', gpusPerNode: 8 }
const MOST_GPUS = 16

/** `PRODUCT[:COUNT]`, the product by its label or by our name of it (`h100-sxm`). Throws a RangeError that says what is known. */
export function parseGpus(text: string): AskedGpus {
  const [, name = '', digits] = /^(.*?)(?::(\d+))?$/.exec(text) ?? []
  const spec = gpuNamed({ product: name }, gpus)
  const count = digits === undefined ? DEFAULT.gpusPerNode : Number(digits)
  if (!spec) {
    const names = gpus.flatMap(({ id, product }) => [id, product])
    const near = suggest(name, names)
    throw new RangeError(
      `no GPU is called «${name}»${near ? `: did you mean ${near}?` : ''}. Known: ${gpus.map(({ id }) => id).join(', ')}`,
    )
  }
  if (count < 1 || count > MOST_GPUS) throw new RangeError(`a node has 1 to ${MOST_GPUS} GPUs, not ${count}`)
  return { product: spec.product, memoryBytes: spec.memoryBytes, count }
}

/** The nodes as asked for, over those of the platform, over the default of 4 × 8 H100. */
export function nodeGroups(asked: AskedNodes, ofPlatform: readonly NodeGroup[] | undefined): readonly NodeGroup[] {
  const { nodes, gpu } = asked
  if (ofPlatform && nodes === undefined && gpu === undefined) return ofPlatform
  const like = ofPlatform?.find((group) => group.gpu)
  if (like && gpu === undefined) return [...ofPlatform!.filter((one) => one !== like), { ...like, count: nodes! }]
  const gpusOfNode = gpu ?? parseGpus(`${DEFAULT.gpu}:${DEFAULT.gpusPerNode}`)
  return [
    {
      name: 'gpu',
      count: nodes ?? DEFAULT.nodes,
      cpu: String(16 * gpusOfNode.count),
      memory: `${128 * gpusOfNode.count}Gi`,
      gpu: gpusOfNode,
    },
  ]
}
