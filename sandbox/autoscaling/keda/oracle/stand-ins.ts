import { merge } from '../../../journal/merge-patch.ts'
import { ApiError } from '../../../kube/errors.ts'
import { Deployment, HorizontalPodAutoscaler, type Kind, keyOf, Pod } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import type * as o from '../../../kube/objects.ts'
import type { Task } from '../../../world/actor.ts'
import type { RandomStream } from '../../../world/random.ts'

/** Runs a task that never has to wait. */
export function finished<T>(task: Task<T>): T {
  const step = task.next()
  if (!step.done) throw new Error('the task waits')
  return step.value
}

export interface StandInOptions {
  /** Undefined: there is no target. */
  readonly replicas: number | undefined
  readonly scaleFails?: boolean
  readonly hpa?: readonly o.Condition[] | undefined
  readonly ready?: number
  readonly unready?: number
  readonly object?: o.ScaledObject
}

/** A Kube with one Deployment `web`, its scale, pods and an HPA, that answers at once. */
export function standIn(options: StandInOptions): { kube: Kube; events: string[]; replicas(): number | undefined } {
  let { replicas, object } = options
  const events: string[] = []
  const pods = Array.from({ length: (options.ready ?? 0) + (options.unready ?? 0) }, (_, i) =>
    podOf(i < (options.ready ?? 0)),
  )
  const scale = (): o.Scale => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'web', namespace: 'default' } as o.ObjectMeta,
    spec: { replicas: replicas ?? 0 },
    status: { replicas: 0, selector: 'app=web' },
  })
  const kube = {
    get(kind: Kind, key: string) {
      if (kind === Deployment)
        return key === 'default/web' && replicas !== undefined ? { spec: { replicas } } : undefined
      if (kind === HorizontalPodAutoscaler) return options.hpa && { status: { conditions: options.hpa } }
      return object && keyOf(object) === key ? object : undefined
    },
    list: (kind: Kind) => (kind === Pod ? pods : []),
    *readScale() {
      return scale()
    },
    *updateScale(_: Kind, wanted: o.Scale) {
      if (options.scaleFails) throw new ApiError(500, 'InternalError', 'no')
      replicas = wanted.spec.replicas
      return wanted
    },
    *patch(_: Kind, __: string, patch: unknown) {
      object = merge(object, patch)
      return object
    },
    event: (_: unknown, level: string, reason: string, message: string) => events.push(`${level} ${reason} ${message}`),
  }
  return { kube: kube as unknown as Kube, events, replicas: () => replicas }
}

const podOf = (ready: boolean) => ({
  metadata: { name: 'p', namespace: 'default', labels: { app: 'web' } },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})

/** Chance for cases. */
export class Dice {
  private readonly random: RandomStream

  constructor(random: RandomStream) {
    this.random = random
  }

  below(n: number): number {
    return Math.floor(this.random.next() * n)
  }

  chance(p: number): boolean {
    return this.random.next() < p
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!
  }

  /** `{ [name]: value }`, or nothing. */
  maybe<K extends string, T>(p: number, name: K, make: () => T): { [key in K]?: T } {
    return (this.chance(p) ? { [name]: make() } : {}) as { [key in K]?: T }
  }
}
