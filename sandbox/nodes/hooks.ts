import type { Container, LifecycleHandler } from '../kube/objects.ts'
import { perform, sleep, type Task } from '../world/actor.ts'
import { seconds, type Us } from '../world/time.ts'
import { environmentOf, podGet, resolvePort } from './pod-access.ts'
import type { PodRuntime, RuntimeContainer } from './pod-runtime.ts'
import type { Awaited } from './shell/environment.ts'
import { scriptOf } from './shell/run.ts'
import { awaitOne } from './shell.ts'

/** What a lifecycle hook came to. */
export interface HookOutcome {
  /** Whether it ended by itself, before the limit. */
  readonly ended: boolean
  readonly failed: boolean
  /** The command of a hook that cannot be simulated; it counts as one that succeeds when it comes to what is not known. */
  readonly unmodelled?: readonly string[]
}

const FAILED: HookOutcome = { ended: true, failed: true }

/** Runs a hook, at most for `limit`. Follows pkg/kubelet/lifecycle/handlers.go. */
export function* runHook(
  handler: LifecycleHandler,
  container: Container,
  runtime: PodRuntime,
  limit: Us,
): Task<HookOutcome> {
  if (handler.sleep) return yield* wait(seconds(handler.sleep.seconds), limit, false)
  if (handler.exec) return yield* runCommand(handler.exec.command ?? [], container, runtime, limit)
  if (handler.httpGet) {
    const port = resolvePort(handler.httpGet.port, container)
    if (port === undefined) return FAILED
    // a server without TLS is asked again by HTTP
    const scheme = handler.httpGet.scheme === 'HTTPS' ? undefined : 'HTTP'
    const answer = podGet(runtime, port, handler.httpGet.path ?? '/', scheme)
    // any status will do, only a connection that fails is a failure
    if (answer.kind === 'answer') return yield* wait(answer.afterUs, limit, false)
    if (answer.kind === 'wrong-scheme') return yield* wait(answer.afterUs, limit, true)
    return answer.kind === 'hang' ? yield* wait(Number.POSITIVE_INFINITY, limit, true) : FAILED
  }
  // tcpSocket is accepted by the API for old objects and fails when it runs
  return FAILED
}

function* wait(takes: Us, limit: Us, failed: boolean): Task<HookOutcome> {
  yield* sleep(Math.min(takes, limit))
  return { ended: takes <= limit, failed }
}

function* runCommand(
  command: readonly string[],
  container: Container,
  runtime: PodRuntime,
  limit: Us,
): Task<HookOutcome> {
  const target = runtime.running(container.name)
  if (!target?.program) return FAILED
  const said = target.program.exec?.(command)
  if (said) return yield* within(target, said.afterUs, limit, said.exitCode !== 0)
  const environment = environmentOf(runtime, container)
  const run = scriptOf(command, environment.variable)?.(environment)
  if (!run) return { ended: true, failed: false, unmodelled: command }
  let exitCode: number | undefined
  for (let left = limit; ; ) {
    const step = run.next(exitCode)
    exitCode = undefined
    if (step.done) {
      if (step.value === undefined) return { ended: true, failed: false, unmodelled: command }
      return { ended: true, failed: step.value !== 0 }
    }
    if (typeof step.value !== 'number') {
      const found = yield* awaited(step.value, left)
      if (!target.running) return FAILED
      if (found.exitCode === undefined) return { ended: false, failed: false }
      exitCode = found.exitCode
      left -= found.tookUs
      continue
    }
    const outcome = yield* within(target, step.value, left, false)
    if (!outcome.ended || outcome.failed) return outcome
    left -= step.value
  }
}

/** Waits for it, at most for `limit`; without an exit code where that was too short. */
function* awaited(what: Awaited, limit: Us): Task<{ exitCode: number | undefined; tookUs: Us }> {
  return yield* perform<{ exitCode: number | undefined; tookUs: Us }>({
    start(clock, resume) {
      const startedAt = clock.now
      const timer = clock.after(limit, () => {
        giveUp()
        resume({ exitCode: undefined, tookUs: limit })
      })
      const giveUp = awaitOne(what, clock, (exitCode) => {
        timer.cancel()
        resume({ exitCode, tookUs: clock.now - startedAt })
      })
      return () => {
        timer.cancel()
        giveUp()
      }
    },
  })
}

/** Waits in a container: a process there dies with the first one. */
function* within(target: RuntimeContainer, takes: Us, limit: Us, failed: boolean): Task<HookOutcome> {
  const most = Math.min(takes, limit)
  const died = most > 0 && (!target.running || (yield* target.exited.waitFor(most)))
  return died ? FAILED : { ended: takes <= limit, failed }
}
