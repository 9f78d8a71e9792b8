import { keyOf, Lease } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type * as o from '../../kube/objects.ts'
import type { Clock } from '../../world/clock.ts'
import type { Us } from '../../world/time.ts'

/** What a process knows of the renewals of the nodes' leases. */
export interface Heartbeats {
  /** When the newest renewal that is known at `at` became known. Undefined: there never was one. */
  seenAt(node: string, at: Us): Us | undefined
  /** Whether renewals go on until `changed` says otherwise: such a node need not be asked about. */
  steady(node: string): boolean
  /** Tells when renewals of a node begin, end, or (where they are not steady) come. */
  watch(changed: (node: string) => void): void
}

const NAMESPACE = 'kube-node-lease'

/** Heartbeats as upstream has them: every renewal is a write of a Lease, seen through an informer. */
export class LeaseHeartbeats implements Heartbeats {
  private readonly seen = new Map<string, { renewTime: string | undefined; at: Us }>()
  private readonly changed: ((node: string) => void)[] = []

  constructor({ kube, clock }: { kube: Kube; clock: Clock }) {
    const saw = (lease: o.Lease) => {
      const { name, namespace } = lease.metadata
      if (namespace !== NAMESPACE) return
      const { renewTime } = lease.spec
      const known = this.seen.get(name)
      if (known?.renewTime === renewTime && known) return
      this.seen.set(name, { renewTime, at: clock.now })
      for (const tell of this.changed) tell(name)
    }
    kube.watch(Lease, {
      added: saw,
      updated: (_, lease) => saw(lease),
      deleted: (lease) => {
        if (keyOf(lease).startsWith(`${NAMESPACE}/`)) this.seen.delete(lease.metadata.name)
      },
    })
  }

  seenAt(node: string): Us | undefined {
    return this.seen.get(node)?.at
  }

  steady(): boolean {
    return false
  }

  watch(changed: (node: string) => void): void {
    this.changed.push(changed)
  }
}
