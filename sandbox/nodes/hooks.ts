import type { Container, LifecycleHandler } from '../kube/objects.ts'
import { sleep, type Task } from '../world/actor.ts'
import { seconds, type Us } from '../world/time.ts'
import { execIn, podGet, resolvePort } from './pod-access.ts'
import type { PodRuntime } from './pod-runtime.ts'

/** What a lifecycle hook comes to. `afterUs` is how long it runs; undefined when it never ends by itself. */
export interface HookOutcome {
  readonly afterUs: Us | undefined
  readonly failed: boolean
  /** The command of a hook the program cannot simulate. */
  readonly unmodelled?: readonly string[]
}

/** Looks up what a hook would do now. Follows pkg/kubelet/lifecycle/handlers.go. */
export function hookOutcome(handler: LifecycleHandler, container: Container, runtime: PodRuntime): HookOutcome {
  if (handler.sleep) return { afterUs: seconds(handler.sleep.seconds), failed: false }
  if (handler.exec) {
    const command = handler.exec.command ?? []
    const program = runtime.running(container.name)?.program
    if (!program) return { afterUs: 0, failed: true }
    const result = execIn(program, command)
    if (!result) return { afterUs: 0, failed: false, unmodelled: command }
    return { afterUs: result.afterUs, failed: result.exitCode !== 0 }
  }
  if (handler.httpGet) {
    const port = resolvePort(handler.httpGet.port, container)
    if (port === undefined) return { afterUs: 0, failed: true }
    // a server without TLS is asked again by HTTP
    const scheme = handler.httpGet.scheme === 'HTTPS' ? undefined : 'HTTP'
    const answer = podGet(runtime, port, handler.httpGet.path ?? '/', scheme)
    // any status will do, only a connection that fails is a failure
    if (answer.kind === 'answer') return { afterUs: answer.afterUs, failed: false }
    if (answer.kind === 'wrong-scheme') return { afterUs: answer.afterUs, failed: true }
    return { afterUs: answer.kind === 'hang' ? undefined : 0, failed: true }
  }
  // tcpSocket is accepted by the API for old objects and fails when it runs
  return { afterUs: 0, failed: true }
}

/** Waits for a hook, at most for `limit`. True when it ended in that time. */
export function* waitForHook(outcome: HookOutcome, limit: Us): Task<boolean> {
  const takes = outcome.afterUs ?? Number.POSITIVE_INFINITY
  yield* sleep(Math.min(takes, limit))
  return takes <= limit
}
