/** Why a pod may not run on a node. `unresolvable`: no preemption could change it. Follows k8s.io/kube-scheduler/framework/interface.go. */
export interface Status {
  readonly unresolvable: boolean
  readonly reasons: readonly string[]
  readonly plugin: string
}

export const rejected = (plugin: string, ...reasons: string[]): Status => ({ unresolvable: false, reasons, plugin })

export const unresolvable = (plugin: string, ...reasons: string[]): Status => ({ unresolvable: true, reasons, plugin })

/** What each node said; nodes that said nothing share one status. Follows pkg/scheduler/framework/interface.go NodeToStatus. */
export class NodeStatuses {
  private readonly names: string[] = []
  private readonly said: Status[] = []
  private explicit: Map<string, Status> | undefined
  private readonly once: boolean
  /** The status of every node without one of its own. */
  absent: Status = ABSENT

  /** `once`: no node says something twice. Otherwise its last word counts. */
  constructor({ once = false }: { once?: boolean } = {}) {
    this.once = once
  }

  /** Nodes that said something. */
  get size(): number {
    return this.once ? this.said.length : this.byNode().size
  }

  set(node: string, status: Status): void {
    this.names.push(node)
    this.said.push(status)
    this.explicit?.set(node, status)
  }

  get(node: string): Status {
    return this.byNode().get(node) ?? this.absent
  }

  values(): Iterable<Status> {
    return this.byNode().values()
  }

  /** Made when first asked for: of a pod that fits, nobody asks. */
  private byNode(): Map<string, Status> {
    if (!this.explicit) {
      this.explicit = new Map()
      for (let i = 0; i < this.names.length; i++) this.explicit.set(this.names[i]!, this.said[i]!)
    }
    return this.explicit
  }
}

const ABSENT: Status = { unresolvable: true, reasons: [], plugin: '' }
