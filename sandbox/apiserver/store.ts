import { diff, equal, merge, withoutNulls } from '../journal/merge-patch.ts'
import { alreadyExists, conflict, invalid, notFound } from '../kube/errors.ts'
import { type Kind, keyOf } from '../kube/kinds.ts'
import type { DeleteOptions, EvictOptions, PatchOptions } from '../kube/kube.ts'
import type { Draft, KubeObject, ObjectMeta, Pod } from '../kube/objects.ts'
import type { RandomStream } from '../world/random.ts'
import type { World } from '../world/world.ts'
import { validateAdmission } from './admission/validating.ts'
import { clusterIPs, nodePorts } from './allocators.ts'
import { boundTo } from './binding.ts'
import { checkTarget, defaulted } from './decoding.ts'
import { checkDeletePreconditions, deletionOf, goesWith } from './deletion.ts'
import { evictPod } from './eviction.ts'
import { deepFreeze } from './freeze.ts'
import { checkNamespace, newMetadata } from './new-metadata.ts'
import { strategyOf } from './strategies/index.ts'
import type { Strategy, StrategyContext } from './strategy.ts'
import { fieldMatches, type StoreEvent, Watchers, type WatchOptions } from './watchers.ts'
import { asked, type Write, withServersOwn, withVersion } from './writes.ts'

/**
 * The API server's store: every write is checked, versioned, journalled and sent to the watchers, at once and in order.
 * Objects are frozen; parts that did not change are shared between versions.
 * Follows k8s.io/apiserver pkg/registry/generic/registry/store.go.
 */
export class Store {
  private readonly world: World
  private readonly strategies: ReadonlyMap<string, Strategy> | undefined
  private readonly context: StrategyContext
  private readonly kinds = new Map<string, Map<string, KubeObject>>()
  private readonly watchers: Watchers
  private readonly random: RandomStream
  private version = 1

  /** Without `strategies`: all that are known. `watchHistory`: events of a kind kept for watches from an earlier version. */
  constructor(options: { world: World; strategies?: ReadonlyMap<string, Strategy>; watchHistory?: number }) {
    this.world = options.world
    this.watchers = new Watchers(options.watchHistory)
    this.strategies = options.strategies
    this.random = options.world.random('kube-apiserver')
    this.context = {
      random: this.random,
      peek: (kind, key) => this.peek(kind, key),
      list: (kind) => this.list(kind),
      has: (kind) => (this.kinds.get(kind.id)?.size ?? 0) > 0,
      updateStatus: (kind, object) => this.updateStatus(kind, object, 'kube-apiserver'),
      clusterIPs: clusterIPs(),
      nodePorts: nodePorts(),
    }
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

  /** Those that a watch on the field's value would show, in the order of creation. */
  listBy<T extends KubeObject>(kind: Kind<T>, field: NonNullable<WatchOptions['field']>): T[] {
    if (field.path === 'metadata.name' && !kind.namespaced) {
      const found = this.peek(kind, field.value)
      return found ? [found] : []
    }
    const found: T[] = []
    for (const object of this.kinds.get(kind.id)?.values() ?? [])
      if (fieldMatches(object, field)) found.push(object as T)
    return found
  }

  /**
   * Fails with AlreadyExists, Invalid, Forbidden (admission), or NotFound (a namespace that was deleted).
   * Follows pkg/registry/generic/registry/store.go Create: default, admit, prepare, validate, store.
   */
  create<T extends KubeObject>(kind: Kind<T>, draft: Draft<T>, by: string): T {
    const strategy = this.strategyOf(kind)
    const metadata = newMetadata(kind, draft.metadata, {
      random: this.random,
      now: this.world.clock.now,
      taken: (key) => this.peek(kind, key) !== undefined,
    })
    checkNamespace(kind, metadata, this.context)
    if (strategy.hasGeneration) metadata.generation = 1
    let object = defaulted(strategy, asked(kind, strategy, withoutNulls(draft), metadata))
    object = (strategy.admit?.(object, this.context) ?? object) as T
    object = (strategy.prepareForCreate?.(object, this.context) ?? object) as T
    const key = keyOf(object)
    try {
      const causes = strategy.validate?.(object) ?? []
      if (causes.length > 0) throw invalid(kind, metadata.name, causes)
      validateAdmission({ kind, object, now: this.world.clock.now }, this.context)
      if (this.peek(kind, key)) throw alreadyExists(kind.id, metadata.name)
    } catch (error) {
      strategy.released?.(object, undefined, this.context)
      throw error
    }
    return this.commit({ kind, key, before: undefined, by }, object)
  }

  /** Fails with NotFound, Conflict or Invalid. Without a resourceVersion it replaces what is there. */
  update<T extends KubeObject>(kind: Kind<T>, object: T, by: string): T {
    const key = keyOf(object)
    const before = this.checked(kind, key, object.metadata)
    return this.replace({ kind, key, before, by }, withoutNulls(object))
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T, by: string): T {
    const key = keyOf(object)
    const before = this.checked(kind, key, object.metadata)
    return this.replace({ kind, key, before, by }, withoutNulls(object), 'status')
  }

  /** Fails with NotFound, with Conflict on another resourceVersion than the patch names, or with Invalid on another uid. */
  patch<T extends KubeObject>(kind: Kind<T>, key: string, patch: unknown, by: string, options: PatchOptions = {}): T {
    const { uid, resourceVersion, name, namespace } = (patch as { metadata?: Partial<ObjectMeta> }).metadata ?? {}
    checkTarget(key, { name, namespace })
    const before = this.checked(kind, key, { resourceVersion })
    if (uid && uid !== before.metadata.uid)
      throw invalid(kind, before.metadata.name, [`metadata.uid: Invalid value: "${uid}": field is immutable`])
    return this.replace({ kind, key, before, by }, merge(before, patch), options.subresource)
  }

  /** Fails with NotFound, or Conflict when a precondition does not hold. */
  delete<T extends KubeObject>(kind: Kind<T>, key: string, by: string, options: DeleteOptions = {}): void {
    const before = this.get(kind, key)
    checkDeletePreconditions(kind, before.metadata, options)
    const grace = this.strategyOf(kind).graceSeconds?.(before, options.gracePeriodSeconds)
    const deletion = deletionOf(before.metadata, { ...options, grace, now: this.world.clock.now })
    const { metadata } = deletion
    const stored = equal(before.metadata, metadata)
      ? before
      : this.commit({ kind, key, before, by }, { ...before, metadata })
    if (deletion.now) this.remove(kind, stored, by)
  }

  /** The `pods/binding` subresource. */
  bind(kind: Kind<Pod>, key: string, uid: string, nodeName: string, by: string): void {
    const pod = this.checked(kind, key, { uid })
    this.commit({ kind, key, before: pod, by }, boundTo(pod, nodeName, this.world.clock.now))
  }

  /** The `pods/eviction` subresource. Fails with TooManyRequests while a budget does not allow it. */
  evict(key: string, options: EvictOptions, by: string): void {
    evictPod(this, key, options, { by, now: this.world.clock.now })
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
    return this.strategies ? (this.strategies.get(kind.id) ?? strategyOf(kind)) : strategyOf(kind)
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

  private replace<T extends KubeObject>(write: Write<T> & { before: T }, asked: T, subresource?: 'status'): T {
    const { kind, before, by } = write
    const strategy = this.strategyOf(kind)
    const merged = this.merged(kind, strategy, before, asked, subresource)
    const after = { ...merged, apiVersion: strategy.storedAs ?? kind.apiVersion, kind: kind.kind }
    if (goesWith(after.metadata, before.metadata)) {
      this.remove(kind, before, by)
      return after
    }
    const change = diff(before, after)
    return change === undefined ? before : this.commit(write, after, change)
  }

  private merged<T extends KubeObject>(
    kind: Kind<T>,
    strategy: Strategy,
    before: T,
    asked: T,
    subresource: 'status' | undefined,
  ): T {
    const { name, generation } = before.metadata
    const metadata = asked.metadata === before.metadata ? before.metadata : withServersOwn(asked.metadata, before)
    if (subresource === 'status') {
      const bare = { ...before, metadata, status: (asked as { status?: unknown }).status }
      const after = (strategy.prepareForStatusUpdate?.(bare, before) ?? bare) as T
      const causes = strategy.validateStatusUpdate?.(after, before) ?? []
      if (causes.length > 0) throw invalid(kind, name, causes)
      return after
    }
    let after = defaulted(strategy, { ...asked, metadata }) as T & { status?: unknown }
    if (strategy.hasStatus) after = { ...after, status: (before as { status?: unknown }).status }
    after = (strategy.prepareForUpdate?.(after, before, this.context) ?? after) as T
    try {
      const causes = strategy.validateUpdate?.(after, before) ?? []
      if (causes.length > 0) throw invalid(kind, name, causes)
      validateAdmission({ kind, object: after, before, now: this.world.clock.now }, this.context)
    } catch (error) {
      strategy.released?.(after, before, this.context)
      throw error
    }
    strategy.released?.(before, after, this.context)
    if (!strategy.hasGeneration) return after
    const raises = strategy.raisesGeneration?.(after, before) ?? !equal(withoutMeta(before), withoutMeta(after))
    return raises ? { ...after, metadata: { ...after.metadata, generation: (generation ?? 0) + 1 } } : after
  }

  /** `object` is the store's from now on. `change`: what `diff` made of it, where the caller has it; it goes to the journal. */
  private commit<T extends KubeObject>(write: Write<T>, object: T, change?: unknown): T {
    const { kind, key, before, by } = write
    const version = ++this.version
    const resourceVersion = String(version)
    const patch = before && (change ?? diff(before, object))
    if (Object.isFrozen(object.metadata)) object.metadata = { ...object.metadata, resourceVersion }
    else object.metadata.resourceVersion = resourceVersion
    const stored = deepFreeze(object)
    let objects = this.kinds.get(kind.id)
    if (!objects) {
      objects = new Map()
      this.kinds.set(kind.id, objects)
    }
    objects.set(key, stored)
    const verb = before ? 'MODIFIED' : 'ADDED'
    const value = before ? withVersion(patch, resourceVersion) : stored
    this.world.journal.append({ type: 'object', verb, kind: kind.id, key, resourceVersion: version, by, value })
    this.watchers.send(kind.id, { verb, version, key, before, object: stored })
    return stored
  }

  private remove<T extends KubeObject>(kind: Kind<T>, before: T, by: string): void {
    const version = ++this.version
    const key = keyOf(before)
    this.kinds.get(kind.id)?.delete(key)
    this.strategyOf(kind).released?.(before, undefined, this.context)
    this.world.journal.append({ type: 'object', verb: 'DELETED', kind: kind.id, key, resourceVersion: version, by })
    const last = deepFreeze({ ...before, metadata: { ...before.metadata, resourceVersion: String(version) } })
    this.watchers.send(kind.id, { verb: 'DELETED', version, key, before, object: last })
  }
}

const nameIn = (key: string): string => key.slice(key.indexOf('/') + 1)

function withoutMeta(object: KubeObject): unknown {
  const { metadata: _, ...rest } = object as KubeObject & { status?: unknown }
  return { ...rest, status: undefined }
}
