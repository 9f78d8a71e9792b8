import type { SourcePosition } from '../../locate.ts'
import type { FieldPath } from '../../path.ts'
import { type PlatformObject, sourceOf } from '../../platform.ts'
import type { Scaling } from './scaling.ts'

/**
 * `undeclared`: nobody in manifests or seatrial.yaml exports, scrapes or names it. `notExposed`: this server's version does not have
 * it. `miswired`: a monitor or rule is there for it and does not get there. `notSimulated`: a real one has it and the simulated one not. `unsupported`: refused by name. `ambiguous`: two scalers on one workload.
 */
export type FindingKind = 'undeclared' | 'notExposed' | 'miswired' | 'notSimulated' | 'unsupported' | 'ambiguous'

/** Something about what an autoscaler looks at. */
export interface SignalFinding {
  readonly kind: FindingKind
  /** The metric, address, trigger or scaler, by name. */
  readonly what: string
  readonly why: string
  /** What to do about it: one line. */
  readonly fix: string
  readonly object: PlatformObject
  readonly path: FieldPath
  readonly source: SourcePosition
  /** Whether a verdict cannot be given: INVALID. What does not block is the platform's own, and the simulation shows it. */
  readonly blocks: boolean
  /** What mends it, where that is one field of the object. */
  readonly mend?: { readonly says: string; readonly value: unknown }
}

const BLOCKING: ReadonlySet<FindingKind> = new Set(['undeclared', 'notSimulated', 'unsupported'])

/** What is to be said of one signal, without its place. */
export type Said = Pick<SignalFinding, 'kind' | 'what' | 'why' | 'fix' | 'mend'> & {
  readonly path?: FieldPath
  /** The object it stands in, where that is not the autoscaler. */
  readonly object?: PlatformObject
  /** The name a metric has now, where its version renamed it. */
  readonly nowCalled?: string
}

export function findingAt(scaling: Scaling, path: FieldPath, said: Said): SignalFinding {
  const at = said.path ?? path
  const object = said.object ?? scaling.object
  return { ...said, object, path: at, source: sourceOf(object, at), blocks: BLOCKING.has(said.kind) }
}

/** Two autoscalers that name one workload: each undoes what the other does, or KEDA refuses the second. */
export const ambiguityOf = (scalings: readonly Scaling[]): SignalFinding[] =>
  scalings.slice(1).map((scaling) =>
    findingAt(scaling, ['spec', 'scaleTargetRef'], {
      kind: 'ambiguous',
      what: scaling.object.id,
      why: `${scalings[0]!.object.id} scales the same workload`,
      fix: 'Keep one of them; a KEDA ScaledObject makes its own HorizontalPodAutoscaler.',
    }),
  )
