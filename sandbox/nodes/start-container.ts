import type { Container, Pod } from '../kube/objects.ts'
import { sleep, type Task } from '../world/actor.ts'
import { AsciiText } from '../world/ascii.ts'
import type { RandomStream } from '../world/random.ts'
import { ContainerLog } from './container-log.ts'
import { runHook } from './hooks.ts'
import type { StartFailure } from './images.ts'
import { killContainer } from './kill.ts'
import type { KubeletContext } from './kubelet-context.ts'
import { findContainer, formatPod, type PodRuntime, type PodView, type RuntimeContainer } from './pod-runtime.ts'
import { environmentReferences, missing } from './references.ts'
import { goDuration } from './timings.ts'

/**
 * Starts a container: back-off, image, environment, create, start, postStart hook. The failure is what its status will say.
 * Follows kuberuntime_manager.go doBackOff and kuberuntime_container.go startContainer.
 */
export function* startContainer(
  context: KubeletContext,
  { pod, container, view, runtime }: { pod: Pod; container: Container; view: PodView; runtime: PodRuntime },
): Task<StartFailure | undefined> {
  const waiting = crashLoopBackoff(context, pod, container, view)
  if (waiting) return waiting
  const failure = yield* context.images.ensure(pod, container)
  if (failure) return failed(context, pod, failure.reason, failure)
  const namespace = pod.metadata.namespace ?? 'default'
  for (const ref of environmentReferences(container)) {
    const message = yield* missing(context.kube, namespace, ref)
    if (message) return failed(context, pod, message, { reason: 'CreateContainerConfigError', message })
  }
  const { timings, world } = context
  yield* sleep(timings.createContainer)
  const made = runtime.add({
    id: containerId(context.random),
    name: container.name,
    image: container.image,
    imageID: container.image,
    restartCount: (findContainer(view, container.name)?.restartCount ?? -1) + 1,
    state: 'created',
    ...(context.keepsLogs ? { log: new ContainerLog() } : {}),
  })
  context.event(pod, 'Normal', 'Created', 'Container created')
  yield* sleep(timings.startContainer)
  runtime.started(made, world.clock.now)
  const lost = context.devices.of(pod.metadata.uid, container.name).find((id) => context.deviceLost(id))
  if (lost !== undefined) {
    runtime.exit(made, { at: world.clock.now, exitCode: 128, reason: 'StartError' })
    const message = `${NO_DEVICE}: nvidia-container-cli: device error: ${lost}: unknown device: unknown`
    return failed(context, pod, message, { reason: 'RunContainerError', message })
  }
  launch(context, pod, container, runtime, made)
  context.event(pod, 'Normal', 'Started', 'Container started')
  return yield* postStart(context, pod, container, runtime, made)
}

const NO_DEVICE =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected mode as legacy'

function failed(context: KubeletContext, pod: Pod, what: string, failure: StartFailure): StartFailure {
  context.event(pod, 'Warning', 'Failed', `Error: ${what}`)
  return failure
}

function crashLoopBackoff(
  context: KubeletContext,
  pod: Pod,
  container: Container,
  view: PodView,
): StartFailure | undefined {
  const ended = view.containers.find((c) => c.name === container.name && c.state === 'exited')
  if (!ended) return undefined
  const { crashLoop, world } = context
  const finishedAt = ended.finishedAt ?? 0
  const key = `${pod.metadata.uid}_${container.name}`
  if (!crashLoop.isActiveSince(key, finishedAt, world.clock.now)) {
    crashLoop.next(key, finishedAt, world.clock.now)
    return undefined
  }
  const name = formatPod(pod)
  context.event(pod, 'Warning', 'BackOff', `Back-off restarting failed container ${container.name} in pod ${name}`)
  const backoff = crashLoop.get(key)
  return {
    reason: 'CrashLoopBackOff',
    message: `back-off ${goDuration(backoff)} restarting failed container=${container.name} pod=${name}`,
    retryAt: finishedAt + backoff,
  }
}

/** Begins the container's program. It may end in its first step. */
function launch(
  context: KubeletContext,
  pod: Pod,
  container: Container,
  runtime: PodRuntime,
  made: RuntimeContainer,
): void {
  const { world } = context
  const { name, namespace = 'default' } = pod.metadata
  const program = context.programFor(pod, container).start({
    clock: world.clock,
    random: world.random(`container/${namespace}/${name}/${container.name}/${made.view.restartCount}`),
    pod,
    container,
    devices: context.devices.of(pod.metadata.uid, container.name),
    log(line) {
      world.journal.append({ type: 'log', pod: `${namespace}/${name}`, container: container.name, line })
      made.view.log?.append(world.clock.now, line)
    },
    exit: (exitCode) => runtime.exit(made, { at: world.clock.now, exitCode }),
  })
  if (made.running) made.program = program
}

function* postStart(
  context: KubeletContext,
  pod: Pod,
  container: Container,
  runtime: PodRuntime,
  made: RuntimeContainer,
): Task<StartFailure | undefined> {
  const hook = container.lifecycle?.postStart
  if (!hook) return undefined
  const outcome = yield* runHook(hook, container, runtime, Number.POSITIVE_INFINITY)
  if (outcome.unmodelled) context.unmodelled(pod, container, 'postStart', outcome.unmodelled)
  if (!outcome.failed) return undefined
  context.event(pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed')
  yield* killContainer(
    { ...context, clock: context.world.clock },
    { pod, runtime, target: made, container, message: 'FailedPostStartHook', reason: 'FailedPostStartHook' },
  )
  const sort = hook.httpGet ? `HTTP lifecycle hook (${hook.httpGet.path ?? ''})` : 'Exec lifecycle hook'
  const message = `${sort} for Container "${container.name}" in Pod "${formatPod(pod)}" failed`
  return { reason: 'PostStartHookError', message }
}

const PREFIX = 'containerd://'
const idText = new AsciiText(PREFIX.length + 64)

/** 64 hexadecimal digits, as containerd names containers. */
function containerId(random: RandomStream): string {
  idText.clear()
  for (let i = 0; i < PREFIX.length; i++) idText.put(PREFIX.charCodeAt(i))
  for (let i = 0; i < 8; i++) idText.hex(Math.floor(random.next() * 0x1_0000_0000), 8)
  return idText.toString()
}
