import type { Container, ContainerStatus, Pod, PodStatus } from '../../kube/objects.ts'
import type { RandomStream } from '../../world/random.ts'
import { seconds, type Us } from '../../world/time.ts'
import { isSidecar } from '../pod-runtime.ts'
import type { ProbeKind, ProbeResults } from './results.ts'
import { ProbeWorker, type ProbeWorkerContext, probedContainers } from './worker.ts'

const SPEC = { startup: 'startupProbe', readiness: 'readinessProbe', liveness: 'livenessProbe' } as const

/** The probes of one pod. Follows pkg/kubelet/prober/prober_manager.go. */
export class PodProbes {
  private readonly workers = new Map<string, ProbeWorker>()
  private readonly results: ProbeResults
  private readonly context: () => Omit<ProbeWorkerContext, 'ended'>
  private readonly random: RandomStream
  private readonly kubeletStartedAt: Us

  constructor(options: {
    results: ProbeResults
    context: () => Omit<ProbeWorkerContext, 'ended'>
    random: RandomStream
    kubeletStartedAt: Us
  }) {
    this.results = options.results
    this.context = options.context
    this.random = options.random
    this.kubeletStartedAt = options.kubeletStartedAt
  }

  /** Starts the workers that are not there yet. */
  add(pod: Pod): void {
    for (const container of probedContainers(pod))
      for (const kind of ['startup', 'readiness', 'liveness'] as const) {
        if (!container[SPEC[kind]]) continue
        if (this.workers.has(`${container.name}/${kind}`)) return
        this.start(container, kind)
      }
  }

  stopLivenessAndStartup(pod: Pod): void {
    for (const { name } of pod.spec.containers)
      for (const kind of ['liveness', 'startup']) this.workers.get(`${name}/${kind}`)?.stop()
  }

  stop(): void {
    for (const worker of [...this.workers.values()]) worker.stop()
  }

  containerChanged(name: string): void {
    for (const kind of ['startup', 'readiness', 'liveness']) this.workers.get(`${name}/${kind}`)?.containerChanged()
  }

  /** Whether a container waits for its readiness probe: then each sync of the pod runs one. */
  awaitsReadiness(statuses: readonly ContainerStatus[]): boolean {
    return statuses.some((s) => s.state.running && !s.ready && this.workers.has(`${s.name}/readiness`))
  }

  /** Sets `started` and `ready` in statuses that are being made. Follows UpdatePodStatus. */
  update(pod: Pod, status: PodStatus): void {
    for (const container of status.containerStatuses ?? []) {
      container.started = this.isStarted(container)
      if (container.started) container.ready = this.isReady(container)
    }
    for (const container of status.initContainerStatuses ?? []) {
      container.started = this.isStarted(container)
      const spec = pod.spec.initContainers?.find((c) => c.name === container.name)
      if (!spec || !isSidecar(spec)) {
        if (container.state.terminated?.exitCode === 0) container.ready = true
      } else if (container.started) container.ready = this.isReady(container)
    }
  }

  private isStarted(status: ContainerStatus): boolean {
    if (!status.state.running) return false
    const result = this.results.get('startup', status.containerID ?? '')
    if (result) return result === 'Success'
    // inherited from the instance before until the startup worker has seen the new one
    if (status.started) return true
    return !this.workers.has(`${status.name}/startup`)
  }

  private isReady(status: ContainerStatus): boolean {
    if (!status.state.running) return false
    if (this.results.get('readiness', status.containerID ?? '') === 'Success') return true
    const worker = this.workers.get(`${status.name}/readiness`)
    worker?.trigger()
    return !worker
  }

  private start(container: Container, kind: ProbeKind): void {
    const key = `${container.name}/${kind}`
    const spec = container[SPEC[kind]]!
    const common = this.context()
    const { now } = common.clock
    const period = seconds(spec.periodSeconds)
    const young = period > now - this.kubeletStartedAt
    const firstAt = young ? now + Math.round(this.random.next() * period) : now
    const context = { ...common, ended: () => this.workers.delete(key) }
    this.workers.set(key, new ProbeWorker({ container, kind, spec, firstAt, context }))
  }
}
