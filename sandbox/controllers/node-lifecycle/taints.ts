import { ApiError, isApiError } from '../../kube/errors.ts'
import { Node } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { sleep, type Task } from '../../world/actor.ts'
import type { RandomStream } from '../../world/random.ts'
import { ms } from '../../world/time.ts'

export const NOT_READY: o.Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }
export const UNREACHABLE: o.Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }

export const sameTaint = (a: o.Taint, b: o.Taint): boolean => a.key === b.key && a.effect === b.effect

export const hasTaint = (node: o.Node, taint: o.Taint): boolean =>
  node.spec.taints?.some((t) => sameTaint(t, taint)) ?? false

const ATTEMPTS = 5

/** Who writes taints: a client, and chance for the pauses between tries. */
export interface TaintWriter {
  readonly kube: Kube
  readonly random: RandomStream
}

/** Puts taints on a node. Fails with an ApiError. Follows pkg/controller/controller_utils.go AddOrUpdateTaintOnNode. */
export function* addTaints(writer: TaintWriter, name: string, taints: readonly o.Taint[]): Task {
  if (taints.length === 0) return
  yield* changeTaints(writer, name, (before) => {
    const replaced = before.map((t) => taints.find((added) => sameTaint(t, added)) ?? t)
    return [...replaced, ...taints.filter((added) => !before.some((t) => sameTaint(t, added)))]
  })
}

/** Takes taints off; asks nobody when the node, as it is known, has none of them. Follows RemoveTaintOffNode. */
export function* removeTaints(writer: TaintWriter, node: o.Node, taints: readonly o.Taint[]): Task {
  if (!taints.some((taint) => hasTaint(node, taint))) return
  yield* changeTaints(writer, node.metadata.name, (before) =>
    before.filter((t) => !taints.some((r) => sameTaint(t, r))),
  )
}

/** Adds, then removes. False when the API server refused. Follows pkg/controller/util/node SwapNodeControllerTaint. */
export function* swapTaints(
  writer: TaintWriter,
  node: o.Node,
  { add, remove, at }: { add: readonly o.Taint[]; remove: readonly o.Taint[]; at: string },
): Task<boolean> {
  try {
    yield* addTaints(
      writer,
      node.metadata.name,
      add.map((taint) => ({ ...taint, timeAdded: at })),
    )
    yield* removeTaints(writer, node, remove)
    return true
  } catch (error) {
    if (error instanceof ApiError) return false
    throw error
  }
}

function* changeTaints(
  { kube, random }: TaintWriter,
  name: string,
  change: (before: readonly o.Taint[]) => o.Taint[],
): Task {
  for (let attempt = 1; ; attempt++) {
    const node = yield* kube.read(Node, name)
    const before = node.spec.taints ?? []
    const taints = change(before)
    if (JSON.stringify(taints) === JSON.stringify(before)) return
    const { resourceVersion } = node.metadata
    try {
      yield* kube.patch(Node, name, {
        metadata: { resourceVersion },
        spec: { taints: taints.length > 0 ? taints : null },
      })
      return
    } catch (error) {
      if (!isApiError(error, 'Conflict') || attempt === ATTEMPTS) throw error
      yield* sleep(ms(100) + random.int(ms(100)))
    }
  }
}
