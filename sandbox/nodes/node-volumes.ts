import type { Node } from '../kube/objects.ts'

interface NodeVolumesOptions {
  /** The Node as the kubelet knows it. */
  readonly node: () => Node | undefined
  /** What is in use changed: the next node status says so. */
  readonly changed: () => void
}

/**
 * The attached volumes that the pods of a node need or have. Nothing is mounted before the node's status says that it is in use and attached;
 * nothing in use is taken away. Follows pkg/kubelet/volumemanager/volume_manager.go GetVolumesInUse and MarkVolumesAsReportedInUse.
 */
export class NodeVolumes {
  private readonly options: NodeVolumesOptions
  /** By pod uid. */
  private readonly wanted = new Map<string, Set<string>>()
  private reported: ReadonlySet<string> = new Set()

  constructor(options: NodeVolumesOptions) {
    this.options = options
  }

  want(podUid: string, name: string): void {
    const ofPod = this.wanted.get(podUid) ?? new Set<string>()
    if (ofPod.has(name)) return
    this.wanted.set(podUid, ofPod.add(name))
    this.options.changed()
  }

  wantedBy(podUid: string): readonly string[] {
    return [...(this.wanted.get(podUid) ?? [])]
  }

  /** The pod's volumes are unmounted. */
  release(podUid: string): void {
    if (this.wanted.delete(podUid)) this.options.changed()
  }

  inUse(): string[] {
    return [...new Set([...this.wanted.values()].flatMap((ofPod) => [...ofPod]))].sort()
  }

  /** The node's status says that these are in use. */
  markReported(names: readonly string[]): void {
    this.reported = new Set(names)
  }

  isReported(name: string): boolean {
    return this.reported.has(name)
  }

  isAttached(name: string): boolean {
    return this.options.node()?.status.volumesAttached?.some((one) => one.name === name) ?? false
  }
}
