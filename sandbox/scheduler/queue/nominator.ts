import { keyOf } from '../../kube/kinds.ts'
import type { Pod } from '../../kube/objects.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Nominations } from '../framework/runtime.ts'

/** Which pods are promised which nodes. Follows pkg/scheduler/backend/queue/nominator.go. */
export class Nominator implements Nominations {
  private readonly lister: (key: string) => Pod | undefined
  private readonly byNode = new Map<string, Map<string, PodInfo>>()
  private readonly nodeOf = new Map<string, string>()

  constructor(lister: (key: string) => Pod | undefined) {
    this.lister = lister
  }

  on(nodeName: string): readonly PodInfo[] {
    if (this.byNode.size === 0) return NONE
    const infos = this.byNode.get(nodeName)
    return infos ? [...infos.values()] : NONE
  }

  /** Notes the promise: `nominate` ('' for none), or the one in the pod's status where that is undefined. */
  add(info: PodInfo, nominate: string | undefined): void {
    this.delete(info.uid)
    const node = nominate ?? info.pod.status?.nominatedNodeName
    if (node === undefined || (nominate === undefined && node === '')) return
    const listed = this.lister(keyOf(info.pod))
    if (!listed || listed.spec.nodeName) return
    this.nodeOf.set(info.uid, node)
    if (node === '') return
    const infos = this.byNode.get(node) ?? new Map<string, PodInfo>()
    this.byNode.set(node, infos.set(info.uid, info))
  }

  /** A pod changed: a promise not written to its status yet is kept. */
  update(before: Pod, info: PodInfo): void {
    const written = before.status?.nominatedNodeName || info.pod.status?.nominatedNodeName
    this.add(info, written ? undefined : this.nodeOf.get(info.uid))
  }

  delete(uid: string): void {
    const node = this.nodeOf.get(uid)
    if (node === undefined) return
    this.nodeOf.delete(uid)
    const infos = this.byNode.get(node)
    infos?.delete(uid)
    if (infos?.size === 0) this.byNode.delete(node)
  }
}

const NONE: readonly PodInfo[] = []
