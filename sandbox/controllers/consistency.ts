import type { Kind } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { KubeObject } from '../kube/objects.ts'
import { RetryError } from './retry.ts'

interface Written {
  readonly ownerUid: string
  /** The newest version written, by kind id. */
  readonly versions: Map<string, number>
}

/**
 * What a controller has written and whether its caches have come that far: an owner is not worked on from caches older than
 * the controller's own last writes for it. Follows pkg/controller/util/consistency/consistency.go, which ReplicaSets use by
 * default from 1.36 on (StaleControllerConsistencyReplicaSet).
 */
export class Consistency {
  private readonly read = new Map<string, number>()
  private readonly written = new Map<string, Written>()

  constructor(kube: Kube, kinds: readonly Kind[]) {
    for (const kind of kinds) {
      this.read.set(kind.id, 0)
      const note = (object: KubeObject) => {
        const version = Number(object.metadata.resourceVersion)
        if (version > this.read.get(kind.id)!) this.read.set(kind.id, version)
      }
      kube.watch(kind, { added: note, updated: (_, object) => note(object), deleted: note })
    }
  }

  /** Notes that `object` was written on behalf of the owner. */
  wrote(owner: { key: string; uid: string }, kind: Kind, object: KubeObject): void {
    let known = this.written.get(owner.key)
    if (known?.ownerUid !== owner.uid) {
      known = { ownerUid: owner.uid, versions: new Map() }
      this.written.set(owner.key, known)
    }
    const version = Number(object.metadata.resourceVersion)
    if (version > (known.versions.get(kind.id) ?? 0)) known.versions.set(kind.id, version)
  }

  /** Throws a `RetryError` while a cache is older than what was written for this owner. */
  ensureReady(ownerKey: string): void {
    const known = this.written.get(ownerKey)
    if (!known) return
    for (const [kind, wrote] of known.versions) {
      const read = this.read.get(kind)
      if (read !== undefined && wrote > read)
        throw new RetryError(
          `read version: ${read} is not as new as written version: ${wrote} for group resource ${kind}`,
          { quiet: true },
        )
    }
    this.written.delete(ownerKey)
  }

  /** Forgets an owner that is gone; with a uid, only when it is that one. */
  clear(ownerKey: string, uid?: string): void {
    if (uid === undefined || this.written.get(ownerKey)?.ownerUid === uid) this.written.delete(ownerKey)
  }
}
