import type { Container, Pod } from '../kube/objects.ts'
import { Signal } from '../world/actor.ts'
import type { Us } from '../world/time.ts'
import type { ContainerLog } from './container-log.ts'
import type { RunningProgram } from './program.ts'

/** One instance of a container in the runtime, as a relist sees it. Immutable. */
export interface ContainerView {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly imageID: string
  readonly restartCount: number
  readonly state: 'created' | 'running' | 'exited'
  readonly startedAt?: Us
  readonly finishedAt?: Us
  readonly exitCode?: number
  readonly reason?: string
  /** Kept where somebody can ask for it; it is there as long as the instance is known, over a boot too. */
  readonly log?: ContainerLog
}

/** What the kubelet's cache knows of a pod: kubecontainer.PodStatus. Containers newest first. */
export interface PodView {
  readonly sandbox: 'none' | 'ready' | 'stopped'
  readonly ip?: string
  readonly containers: readonly ContainerView[]
}

export const emptyView: PodView = { sandbox: 'none', containers: [] }

/** The newest instance of a container. */
export const findContainer = (view: PodView, name: string): ContainerView | undefined =>
  view.containers.find((c) => c.name === name)

/** A container in the runtime. Its program lives while the state is `running`. */
export class RuntimeContainer {
  view: ContainerView
  program: RunningProgram | undefined
  readonly exited = new Signal()

  constructor(view: ContainerView) {
    this.view = view
  }

  get running(): boolean {
    return this.view.state === 'running'
  }
}

/**
 * The container runtime's side of one pod: its sandbox and containers as they are now. The kubelet knows of a change only after
 * a relist; `onChange` tells the PLEG that there is something to find.
 */
export class PodRuntime {
  sandbox: PodView['sandbox'] = 'none'
  ip: string | undefined
  /** Newest first; at most two instances of a name, as the kubelet's garbage collection leaves them. */
  containers: RuntimeContainer[] = []
  private readonly onChange: () => void

  constructor(onChange: () => void) {
    this.onChange = onChange
  }

  snapshot(): PodView {
    return {
      sandbox: this.sandbox,
      ...(this.ip === undefined ? {} : { ip: this.ip }),
      containers: this.containers.map((c) => c.view),
    }
  }

  /** The running instance of a container. */
  running(name: string): RuntimeContainer | undefined {
    return this.containers.find((c) => c.view.name === name && c.running)
  }

  allRunning(): RuntimeContainer[] {
    return this.containers.filter((c) => c.running)
  }

  setSandbox(sandbox: PodView['sandbox'], ip: string | undefined): void {
    this.sandbox = sandbox
    this.ip = ip
    this.onChange()
  }

  add(view: ContainerView): RuntimeContainer {
    const made = new RuntimeContainer(view)
    const older = this.containers.filter((c) => c.view.name === view.name).slice(0, 1)
    const others = this.containers.filter((c) => c.view.name !== view.name)
    this.containers = [made, ...older, ...others]
    this.onChange()
    return made
  }

  started(container: RuntimeContainer, at: Us): void {
    container.view = { ...container.view, state: 'running', startedAt: at }
    this.onChange()
  }

  /** The main process is gone. Does nothing when it was already. */
  exit(container: RuntimeContainer, result: { at: Us; exitCode: number; reason?: string }): void {
    if (!container.running) return
    const { at, exitCode } = result
    const reason = result.reason ?? (exitCode === 0 ? 'Completed' : 'Error')
    container.view = { ...container.view, state: 'exited', finishedAt: at, exitCode, reason }
    container.program = undefined
    container.exited.notify()
    container.view.log?.changed.notify()
    this.onChange()
  }
}

/** Whether two relists of a pod differ in the state of any container or of the sandbox. */
export function differs(a: PodView, b: PodView): boolean {
  if (a.sandbox !== b.sandbox || a.containers.length !== b.containers.length) return true
  return a.containers.some((c, i) => c.id !== b.containers[i]!.id || c.state !== b.containers[i]!.state)
}

export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

/** `name_namespace(uid)`. Follows pkg/kubelet/util/format/pod.go. */
export const formatPod = (pod: Pod): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
