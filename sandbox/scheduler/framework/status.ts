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
  private readonly explicit = new Map<string, Status>()
  /** The status of every node without one of its own. */
  absent: Status = ABSENT

  get size(): number {
    return this.explicit.size
  }

  set(node: string, status: Status): void {
    this.explicit.set(node, status)
  }

  get(node: string): Status {
    return this.explicit.get(node) ?? this.absent
  }

  values(): Iterable<Status> {
    return this.explicit.values()
  }
}

const ABSENT: Status = { unresolvable: true, reasons: [], plugin: '' }
