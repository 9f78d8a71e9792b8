import { diff, equal, merge } from '../journal/merge-patch.ts'
import { alreadyExists, conflict, invalid, notFound } from '../kube/errors.ts'
import { type Kind, keyOf } from '../kube/kinds.ts'
import type { DeleteOptions, PatchOptions } from '../kube/kube.ts'
import type { Draft, KubeObject, ObjectMeta } from '../kube/objects.ts'
import type { RandomStream } from '../world/random.ts'
import { toRfc3339 } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { deletionOf, mayBeRemoved } from './deletion.ts'
import { deepFreeze } from './freeze.ts'
import { plainStrategy, type Strategy, type StrategyContext } from './strategy.ts'
import { type StoreEvent, Watchers, type WatchOptions } from './watchers.ts'

/**
 * The API server's store: every write is checked, versioned, journalled and sent to the watchers, at once and in order.
 * Objects are frozen; parts that did not change are shared between versions.
 * Follows k8s.io/apiserver pkg/registry/generic/registry/store.go.
 */
export class Store {
  private readonly world: World
  private readonly strategies: ReadonlyMap<string, Strategy>
  private readonly kinds = new Map<string, Map<string, KubeObject>>()
  private readonly watchers = new Watchers()
  private readonly random: RandomStream
  private version = 1
  private nextClusterIP = 10

  constructor(options: { world: World; strategies?: ReadonlyMap<string, Strategy> }) {
    this.world = options.world
    this.strategies = options.strategies ?? new Map()
    this.random = options.world.random('kube-apiserver')
  }

  /** The version of the last write. */
  get resourceVersion(): number {
    return this.version
  }

  /** Fails with NotFound. */
  get<T extends KubeObject>(kind: Kind<T>, key: string): T {
    const found = this.peek(kind, key)
    if (!found) throw notFound(kind.id, nameIn(key))
    return found
  }

  peek<T extends KubeObject>(kind: Kind<T>, key: string): T | undefined {
    return this.kinds.get(kind.id)?.get(key) as T | undefined
  }

  /** In the order of creation. */
  list<T extends KubeObject>(kind: Kind<T>): T[] {
    return [...(this.kinds.get(kind.id)?.values() ?? [])] as T[]
  }

  /** Fails with AlreadyExists or Invalid. */
  create<T extends KubeObject>(kind: Kind<T>, draft: Draft<T>, by: string): T {
    const strategy = this.strategyOf(kind)
    const { status, ...rest } = draft as Draft<T> & { status?: unknown }
    const meta = draft.metadata as Partial<ObjectMeta>
    const metadata: ObjectMeta = {
      ...meta,
      name: meta.name ?? `${meta.generateName}${this.random.suffix(5)}`,
      uid: this.uid(),
      resourceVersion: '',
      creationTimestamp: toRfc3339(this.world.clock.now),
    }
    if (kind.namespaced) metadata.namespace = meta.namespace ?? 'default'
    else delete metadata.namespace
    delete metadata.deletionTimestamp
    delete metadata.deletionGracePeriodSeconds
    if (strategy.hasGeneration) metadata.generation = 1
    const kept = strategy.hasStatus || status === undefined ? rest : { ...rest, status }
    let object = strategy.default({
      ...kept,
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata,
    } as unknown as T) as T
    object = (strategy.prepareForCreate?.(object, this.context()) ?? object) as T
    const causes = strategy.validate?.(object) ?? []
    if (causes.length > 0) throw invalid(kind.kind, metadata.name, causes)
    if (this.peek(kind, keyOf(object))) throw alreadyExists(kind.id, metadata.name)
    return this.commit(kind, undefined, object, by)
  }

  /** Fails with NotFound, Conflict or Invalid. */
  update<T extends KubeObject>(kind: Kind<T>, object: T, by: string): T {
    const before = this.checked(kind, keyOf(object), object.metadata)
    return this.replace(kind, before, object, undefined, by)
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T, by: string): T {
    const before = this.checked(kind, keyOf(object), object.metadata)
    return this.replace(kind, before, object, 'status', by)
  }

  patch<T extends KubeObject>(kind: Kind<T>, key: string, patch: unknown, by: string, options: PatchOptions = {}): T {
    const asked = (patch as { metadata?: Partial<ObjectMeta> }).metadata ?? {}
    const before = this.checked(kind, key, asked)
    return this.replace(kind, before, merge(before, patch), options.subresource, by)
  }

  /** Fails with NotFound, or Conflict when a precondition does not hold. */
  delete<T extends KubeObject>(kind: Kind<T>, key: string, by: string, options: DeleteOptions = {}): void {
    const before = this.checked(kind, key, options)
    const grace = options.gracePeriodSeconds ?? this.strategyOf(kind).gracePeriodSeconds?.(before)
    const metadata = deletionOf(before.metadata, { ...options, gracePeriodSeconds: grace, now: this.world.clock.now })
    const after = metadata === before.metadata ? before : { ...before, metadata }
    if (mayBeRemoved(after.metadata)) this.remove(kind, before, by)
    else if (after !== before) this.commit(kind, before, after, by)
  }

  /** The `pods/binding` subresource. Follows pkg/registry/core/pod/storage/storage.go assignPod. */
  bind<T extends KubeObject>(kind: Kind<T>, key: string, uid: string, nodeName: string, by: string): void {
    const pod = this.checked(kind, key, { uid }) as T & {
      spec: { nodeName?: string }
      status?: { conditions?: object[] }
    }
    const { name } = pod.metadata
    if (pod.metadata.deletionTimestamp)
      throw conflict('pods/binding', name, `pod ${name} is being deleted, cannot be assigned to a host`)
    if (pod.spec.nodeName)
      throw conflict('pods/binding', name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`)
    const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: toRfc3339(this.world.clock.now) }
    const others = (pod.status?.conditions ?? []).filter((c) => (c as { type?: string }).type !== 'PodScheduled')
    const after = {
      ...pod,
      spec: { ...pod.spec, nodeName },
      status: { ...pod.status, conditions: [...others, scheduled] },
    }
    this.commit(kind, pod, after, by)
  }

  /** Calls `onEvent` for each write from `fromVersion` on (or from now). Fails with Expired when the history is gone. */
  watch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
    onEvent: (event: StoreEvent<T>) => void,
  ): () => void {
    return this.watchers.add(kind.id, options, onEvent as (event: StoreEvent) => void)
  }

  private strategyOf(kind: Kind): Strategy {
    return this.strategies.get(kind.id) ?? plainStrategy
  }

  private checked<T extends KubeObject>(
    kind: Kind<T>,
    key: string,
    asked: { uid?: string; resourceVersion?: string },
  ): T {
    const object = this.get(kind, key)
    const { uid, resourceVersion, name } = object.metadata
    if (asked.uid && asked.uid !== uid)
      throw conflict(
        kind.id,
        name,
        `Precondition failed: UID in precondition: ${asked.uid}, UID in object meta: ${uid}`,
      )
    if (asked.resourceVersion && asked.resourceVersion !== resourceVersion)
      throw conflict(
        kind.id,
        name,
        'the object has been modified; please apply your changes to the latest version and try again',
      )
    return object
  }

  private replace<T extends KubeObject>(
    kind: Kind<T>,
    before: T,
    asked: T,
    subresource: 'status' | undefined,
    by: string,
  ): T {
    const strategy = this.strategyOf(kind)
    const after = {
      ...this.merged(kind, strategy, before, asked, subresource),
      apiVersion: kind.apiVersion,
      kind: kind.kind,
    } as T
    if (equal(before, after)) return before
    if (mayBeRemoved(after.metadata) && before.metadata.deletionTimestamp) {
      this.remove(kind, before, by)
      return after
    }
    return this.commit(kind, before, after, by)
  }

  private merged<T extends KubeObject>(
    kind: Kind<T>,
    strategy: Strategy,
    before: T,
    asked: T,
    subresource: 'status' | undefined,
  ): T {
    if (subresource === 'status') {
      // a status write carries annotations too, which Deployments use for their revision (pkg/registry/apps/deployment/strategy.go)
      const { annotations } = asked.metadata
      const metadata = equal(annotations, before.metadata.annotations)
        ? before.metadata
        : { ...before.metadata, annotations }
      return { ...before, metadata, status: (asked as { status?: unknown }).status }
    }
    const metadata: ObjectMeta = {
      ...asked.metadata,
      uid: before.metadata.uid,
      resourceVersion: before.metadata.resourceVersion,
      creationTimestamp: before.metadata.creationTimestamp,
      deletionTimestamp: before.metadata.deletionTimestamp,
      deletionGracePeriodSeconds: before.metadata.deletionGracePeriodSeconds,
      generation: before.metadata.generation,
    }
    let after = strategy.default({ ...asked, metadata }) as T & { status?: unknown }
    if (strategy.hasStatus) after = { ...after, status: (before as { status?: unknown }).status }
    after = (strategy.prepareForUpdate?.(after, before) ?? after) as T
    const causes = strategy.validateUpdate?.(after, before) ?? strategy.validate?.(after) ?? []
    if (causes.length > 0) throw invalid(kind.kind, before.metadata.name, causes)
    if (!strategy.hasGeneration || equal(withoutMeta(before), withoutMeta(after))) return after
    return { ...after, metadata: { ...after.metadata, generation: (before.metadata.generation ?? 0) + 1 } }
  }

  private commit<T extends KubeObject>(kind: Kind<T>, before: T | undefined, object: T, by: string): T {
    const version = ++this.version
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } })
    const key = keyOf(stored)
    let objects = this.kinds.get(kind.id)
    if (!objects) {
      objects = new Map()
      this.kinds.set(kind.id, objects)
    }
    objects.set(key, stored)
    const verb = before ? 'MODIFIED' : 'ADDED'
    this.world.journal.append({
      type: 'object',
      verb,
      kind: kind.id,
      key,
      resourceVersion: version,
      by,
      value: before ? diff(before, stored) : stored,
    })
    this.watchers.send(kind.id, { verb, version, before, object: stored })
    return stored
  }

  private remove<T extends KubeObject>(kind: Kind<T>, before: T, by: string): void {
    const version = ++this.version
    const key = keyOf(before)
    this.kinds.get(kind.id)?.delete(key)
    this.world.journal.append({ type: 'object', verb: 'DELETED', kind: kind.id, key, resourceVersion: version, by })
    const last = deepFreeze({ ...before, metadata: { ...before.metadata, resourceVersion: String(version) } })
    this.watchers.send(kind.id, { verb: 'DELETED', version, before, object: last })
  }

  private uid(): string {
    const hex = (digits: number) => Array.from({ length: digits }, () => this.random.int(16).toString(16)).join('')
    return `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[this.random.int(4)]}${hex(3)}-${hex(12)}`
  }

  private context(): StrategyContext {
    return {
      random: this.random,
      allocateClusterIP: () => {
        const n = this.nextClusterIP++
        return `10.96.${n >> 8}.${n & 255}`
      },
    }
  }
}

const nameIn = (key: string): string => key.slice(key.indexOf('/') + 1)

function withoutMeta(object: KubeObject): unknown {
  const { metadata: _, ...rest } = object as KubeObject & { status?: unknown }
  return { ...rest, status: undefined }
}
