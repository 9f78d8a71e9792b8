export type ProbeKind = 'startup' | 'liveness' | 'readiness'
export type ProbeResult = 'Success' | 'Failure' | 'Unknown'

/** What the probes last said of each container instance. Follows pkg/kubelet/prober/results/results_manager.go. */
export class ProbeResults {
  private readonly results: Readonly<Record<ProbeKind, Map<string, ProbeResult>>> = {
    startup: new Map(),
    liveness: new Map(),
    readiness: new Map(),
  }

  get(kind: ProbeKind, containerID: string): ProbeResult | undefined {
    return this.results[kind].get(containerID)
  }

  /** Whether this is news. */
  set(kind: ProbeKind, containerID: string, result: ProbeResult): boolean {
    const known = this.results[kind]
    if (known.get(containerID) === result) return false
    known.set(containerID, result)
    return true
  }

  remove(kind: ProbeKind, containerID: string): void {
    this.results[kind].delete(containerID)
  }
}
