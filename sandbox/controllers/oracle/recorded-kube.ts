import { ApiError, notFound } from '../../kube/errors.ts'
import { type Kind, keyOf } from '../../kube/kinds.ts'
import type { Index, Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import { type Actor, spawn, type Task } from '../../world/actor.ts'
import { VirtualClock } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'
import type { ControllerContext, ControllerSpec } from '../controller.ts'
import { CountError } from '../disruption/expected-pods.ts'
import { RetryError } from '../retry.ts'

/** A write that a controller asked for. */
export interface Asked {
  readonly verb: 'create' | 'update' | 'update status' | 'patch' | 'delete'
  readonly kind: Kind
  readonly name: string
  /** What was sent; undefined for deletes. */
  readonly object: o.KubeObject | undefined
}

export interface Recorded {
  readonly asked: readonly Asked[]
  /** As `level reason: message`, sorted. */
  readonly events: readonly string[]
  /** After how long the key comes back. */
  readonly again: readonly Us[]
  /** Whether the pass ended by an error that brings the key back. */
  readonly failed: boolean
}

interface Seen {
  readonly objects: readonly (readonly [Kind, readonly o.KubeObject[]])[]
  /** The kinds with a scale, by id. */
  readonly scaled?: ReadonlySet<string>
  /** What the server answers to a write; undefined: it takes it. */
  readonly answer?: (asked: Asked, writes: number) => ApiError | o.KubeObject | undefined
  readonly now: Us
}

/** One pass of a controller over one key, before caches that hold these objects and do not change. */
export function passOver(spec: ControllerSpec, key: string, seen: Seen): Recorded {
  const asked: Asked[] = []
  const events: string[] = []
  const again: Us[] = []
  const clock = new VirtualClock()
  clock.runUntil(seen.now)
  const context = {
    kube: recordedKube(seen, asked, events),
    now: seen.now,
    queue: { addAfter: (_: string, after: Us) => again.push(after) },
    consistency: { wrote() {}, clear() {} },
  } as unknown as ControllerContext
  let failed = false
  const pass: Actor = spawn(clock, spec.name, whole())
  clock.runUntil(seen.now + 1_000_000)
  if (!pass.done) throw new Error(`${spec.name} still waits for something`)
  return { asked, events: events.sort(), again, failed }

  function* whole(): Task {
    try {
      yield* spec.reconcile(key, context)
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof RetryError || error instanceof CountError)) throw error
      failed = true
    }
  }
}

function recordedKube(seen: Seen, asked: Asked[], events: string[]): Kube {
  const of = <T extends o.KubeObject>(kind: Kind<T>): readonly T[] =>
    (seen.objects.find(([{ id }]) => id === kind.id)?.[1] ?? []) as readonly T[]
  const get = <T extends o.KubeObject>(kind: Kind<T>, key: string): T | undefined =>
    of(kind).find((object) => keyOf(object) === key)
  const read = <T extends o.KubeObject>(kind: Kind<T>, key: string): T => {
    const found = get(kind, key)
    if (!found) throw notFound(kind.id, key.slice(key.indexOf('/') + 1))
    return found
  }
  function* ask<T extends o.KubeObject>(verb: Asked['verb'], kind: Kind<T>, name: string, object?: o.KubeObject) {
    const request = { verb, kind, name, object }
    asked.push(request)
    const answer = seen.answer?.(request, asked.length)
    if (answer instanceof ApiError) throw answer
    return (answer ?? object) as T
  }
  const nameOf = (object: { metadata: { name?: string } }): string => object.metadata.name ?? ''
  const kube: Partial<Kube> = {
    get,
    indexed: <T extends o.KubeObject>(index: Index<T>, value: string) =>
      of(index.kind).filter((object) => index.values(object).includes(value)),
    *read(kind, key) {
      return read(kind, key)
    },
    create: (kind, object) => ask('create', kind, nameOf(object), object as o.KubeObject),
    update: (kind, object) => ask('update', kind, nameOf(object), object),
    updateStatus: (kind, object) => ask('update status', kind, nameOf(object), object),
    patch: (kind, key, patch) => ask('patch', kind, key, patch as o.KubeObject),
    *delete(kind, key) {
      yield* ask(`delete`, kind, key.slice(key.indexOf('/') + 1))
    },
    *readScale(kind, key) {
      if (!seen.scaled?.has(kind.id))
        throw new ApiError(404, 'NotFound', 'the server could not find the requested resource')
      const { metadata, spec } = read(kind, key) as o.KubeObject & { spec: { replicas: number } }
      return { metadata, spec: { replicas: spec.replicas }, status: { replicas: 0 } } as unknown as o.Scale
    },
    event: (_, level, reason, message) => events.push(`${level} ${reason}: ${message}`),
  }
  return kube as Kube
}
