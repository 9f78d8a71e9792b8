import type { Container, Pod } from '../kube/objects.ts'
import type { MetricFamily } from '../metrics/sample.ts'
import type { PodEndpoint } from '../network/pod-network.ts'
import { type Signal, sleep, type Task } from '../world/actor.ts'
import type { StartFailure } from './images.ts'
import { killContainer, killPod } from './kill.ts'
import type { KubeletContext } from './kubelet-context.ts'
import { type GetAnswer, podAccepts, podExposition, podGet } from './pod-access.ts'
import { podActions } from './pod-actions.ts'
import type { HostEndpoints } from './pod-addresses.ts'
import { isSidecar, type PodRuntime, type PodView } from './pod-runtime.ts'
import type { InferenceServer } from './program.ts'
import { startContainer } from './start-container.ts'

/** One pod's part of the container runtime, and what the last sync could not start. */
export interface PodMachine {
  readonly runtime: PodRuntime
  readonly hosts: HostEndpoints
  readonly cancelled: Signal
  /** Why containers wait: the kubelet's reason cache. */
  readonly reasons: Map<string, StartFailure>
  endpoint: PodEndpoint | undefined
  /** The sandbox has its network: told before images are pulled. */
  sandboxReady(): void
}

/** Whether the sync did anything, and what it could not do. */
export interface SyncOutcome {
  readonly acted: boolean
  readonly failures: readonly StartFailure[]
}

/** Brings the containers of a pod to what its spec wants. Follows kuberuntime_manager.go SyncPod. */
export function* syncContainers(
  context: KubeletContext,
  machine: PodMachine,
  { pod, view }: { pod: Pod; view: PodView },
): Task<SyncOutcome> {
  const { runtime } = machine
  const actions = podActions(pod, view, context.probeResults)
  let acted = false
  if (actions.killPod) {
    const running = runtime.allRunning().length > 0 || runtime.sandbox === 'ready'
    if (running) yield* stopPod(context, machine, { pod, view })
    acted = running
  } else
    for (const order of actions.toKill) {
      acted = true
      const target = runtime.containers.find((c) => c.view.id === order.id)
      if (target) yield* killContainer(killContext(context), { pod, runtime, target, ...order })
    }
  if (actions.createSandbox) {
    acted = true
    if (view.sandbox === 'stopped')
      context.event(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
    if (!(yield* createSandbox(context, machine, pod))) return { acted, failures: [NO_ADDRESS] }
  }
  const failures: StartFailure[] = []
  const start = (container: Container) => tryStart(context, machine, { pod, view, container, failures })
  for (const i of actions.initToStart) {
    const container = pod.spec.initContainers![i]!
    acted = true
    if (!(yield* start(container)) && !isSidecar(container)) return { acted, failures }
  }
  for (const i of actions.toStart) {
    acted = true
    yield* start(pod.spec.containers[i]!)
  }
  return { acted, failures }
}

/** Whether the container could be started; why not, is in `failures` and in the machine's reasons. */
function* tryStart(
  context: KubeletContext,
  { runtime, reasons }: PodMachine,
  { pod, view, container, failures }: { pod: Pod; view: PodView; container: Container; failures: StartFailure[] },
): Task<boolean> {
  const failure = yield* startContainer(context, { pod, container, view, runtime })
  if (!failure) {
    reasons.delete(container.name)
    return true
  }
  reasons.set(container.name, failure)
  failures.push(failure)
  return false
}

/** Stops what of a pod was seen running, then its sandbox. */
export function* stopPod(
  context: KubeletContext,
  machine: PodMachine,
  { pod, view, graceSeconds }: { pod: Pod; view: PodView; graceSeconds?: number },
): Task {
  yield* killPod(killContext(context), {
    pod,
    runtime: machine.runtime,
    seen: new Set(view.containers.map((c) => c.id)),
    ...(graceSeconds === undefined ? {} : { graceSecondsOverride: graceSeconds }),
    sandboxGone: () => removeSandbox(context, machine),
  })
}

const NO_ADDRESS: StartFailure = { reason: '', message: '' }

const killContext = (context: KubeletContext) => ({
  clock: context.world.clock,
  timings: context.timings,
  event: context.event,
  unmodelled: context.unmodelled,
})

function* createSandbox(context: KubeletContext, machine: PodMachine, pod: Pod): Task<boolean> {
  const { runtime } = machine
  yield* sleep(context.timings.createSandbox)
  const host = pod.spec.hostNetwork === true
  const ip = host ? context.nodeIP : context.addresses.take()
  if (ip === undefined) {
    const why =
      'plugin type="host-local" failed (add): failed to allocate for range 0: no IP addresses available in range set'
    const message = `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: ${why}`
    context.event(pod, 'Warning', 'FailedCreatePodSandBox', message)
    return false
  }
  machine.endpoint = new RuntimeEndpoint(pod, context.nodeName, runtime)
  if (host) machine.hosts.add(machine.endpoint)
  else context.network.register(ip, machine.endpoint)
  runtime.setSandbox('ready', ip)
  machine.sandboxReady()
  return true
}

/** Takes the pod off the network. */
export function removeSandbox(context: KubeletContext, machine: PodMachine): void {
  const { runtime, endpoint } = machine
  if (runtime.sandbox !== 'ready') return
  if (runtime.ip === context.nodeIP) {
    if (endpoint) machine.hosts.remove(endpoint)
  } else if (runtime.ip !== undefined) {
    context.network.unregister(runtime.ip)
    context.addresses.release(runtime.ip)
  }
  machine.endpoint = undefined
  runtime.setSandbox('stopped', undefined)
}

/** A pod on the network, as its containers are at the moment. */
class RuntimeEndpoint implements PodEndpoint {
  readonly podKey: string
  readonly nodeName: string
  private readonly runtime: PodRuntime

  constructor(pod: Pod, nodeName: string, runtime: PodRuntime) {
    this.podKey = `${pod.metadata.namespace}/${pod.metadata.name}`
    this.nodeName = nodeName
    this.runtime = runtime
  }

  accepts(port: number): boolean {
    return podAccepts(this.runtime, port)
  }

  get(port: number, path: string, scheme?: string): GetAnswer {
    return podGet(this.runtime, port, path, scheme)
  }

  exposition(port: number, path: string, wanted?: ReadonlySet<string>): readonly MetricFamily[] | undefined {
    return podExposition(this.runtime, port, path, wanted)
  }

  get inference(): InferenceServer | undefined {
    return this.runtime.containers.find((c) => c.running && c.program?.inference)?.program?.inference
  }
}
