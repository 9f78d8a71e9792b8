import type { Container, Probe } from '../../kube/objects.ts'
import type { Clock } from '../../world/clock.ts'
import { seconds, type Us } from '../../world/time.ts'
import { execIn, podAccepts, podGet, resolvePort, urlOf } from '../pod-access.ts'
import type { PodRuntime } from '../pod-runtime.ts'
import { noSuchProgram } from '../shell/run.ts'
import type { UnderWay } from '../shell.ts'

/**
 * What one probe finds, and when. `error` is upstream's prober error: the result is thrown away.
 * `unmodelled`: the program cannot say what the command would do.
 */
export type ProbeOutcome =
  | { readonly kind: 'success'; readonly afterUs: Us }
  | { readonly kind: 'warning' | 'failure'; readonly afterUs: Us; readonly output: string }
  | { readonly kind: 'error'; readonly afterUs: Us; readonly output: string }
  | { readonly kind: 'unmodelled'; readonly afterUs: Us; readonly command: readonly string[] }

/** A probe whose outcome depends on what is still to happen. */
export interface PendingProbe {
  readonly kind: 'pending'
  /** Told the outcome when it is there, at the latest when the probe's time is up. Returns how to give it up. */
  begin(clock: Clock, ended: (outcome: ProbeOutcome) => void): () => void
}

export interface ProbeTarget {
  readonly runtime: PodRuntime
  readonly container: Container
  readonly podIP: string
}

/** Runs a probe's handler once. Follows pkg/kubelet/prober/prober.go and pkg/probe/{http,tcp,grpc,exec}. */
export function runProbe(probe: Probe, target: ProbeTarget): ProbeOutcome | PendingProbe {
  if (probe.exec) return execProbe(probe, target)
  if (probe.httpGet) return httpProbe(probe, probe.httpGet, target)
  if (probe.tcpSocket) return tcpProbe(probe, probe.tcpSocket, target)
  if (probe.grpc) return grpcProbe(probe, probe.grpc.port, target)
  return { kind: 'error', afterUs: 0, output: `missing probe handler for ${target.container.name}` }
}

const failure = (output: string, afterUs: Us): ProbeOutcome => ({ kind: 'failure', afterUs, output })

function httpProbe(probe: Probe, get: NonNullable<Probe['httpGet']>, target: ProbeTarget): ProbeOutcome {
  const port = resolvePort(get.port, target.container)
  if (port === undefined) return unknownPort(get.port)
  const timeout = seconds(probe.timeoutSeconds)
  const url = urlOf(get, target.podIP, port)
  const answer = elsewhere(get.host, target)
    ? REFUSED
    : podGet(target.runtime, port, get.path ?? '/', get.scheme ?? 'HTTP')
  if (answer.kind === 'refused')
    return failure(`Get "${url}": dial tcp ${get.host || target.podIP}:${port}: connect: connection refused`, 0)
  if (answer.kind === 'wrong-scheme')
    return failure(`Get "${url}": ${WRONG_SCHEME[get.scheme === 'HTTPS' ? 'HTTPS' : 'HTTP']}`, answer.afterUs)
  if (answer.kind === 'hang' || answer.afterUs >= timeout)
    return failure(`Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`, timeout)
  const { status, afterUs } = answer
  if (status >= 200 && status < 300) return { kind: 'success', afterUs }
  if (status >= 300 && status < 400)
    return { kind: 'warning', afterUs, output: 'Probe terminated redirects, Response body: ' }
  return failure(`HTTP probe failed with statuscode: ${status}`, afterUs)
}

/** By the probe's scheme: Go's client names a plain answer in net/http/transport.go; a TLS server closes the connection on it. */
const WRONG_SCHEME = { HTTPS: 'http: server gave HTTP response to HTTPS client', HTTP: 'EOF' } as const

function tcpProbe(_probe: Probe, tcp: NonNullable<Probe['tcpSocket']>, target: ProbeTarget): ProbeOutcome {
  const port = resolvePort(tcp.port, target.container)
  if (port === undefined) return unknownPort(tcp.port)
  if (!elsewhere(tcp.host, target) && podAccepts(target.runtime, port)) return { kind: 'success', afterUs: 0 }
  return failure(`dial tcp ${tcp.host || target.podIP}:${port}: connect: connection refused`, 0)
}

/**
 * A gRPC health check. Programs speak HTTP in this model: one that answers the method's path with 2xx is taken to speak gRPC and
 * to be SERVING, with 503 not to be. To any other the handshake of HTTP/2 fails; dialling blocks and tries again until time is up,
 * as it does where the connection is refused. vLLM's API server is such a one.
 */
function grpcProbe(probe: Probe, port: number, target: ProbeTarget): ProbeOutcome {
  const timeout = seconds(probe.timeoutSeconds)
  const answer = podGet(target.runtime, port, '/grpc.health.v1.Health/Check')
  if (answer.kind === 'hang' || (answer.kind === 'answer' && answer.afterUs >= timeout))
    return failure(`timeout: health rpc did not complete within ${probe.timeoutSeconds}s`, timeout)
  if (answer.kind === 'answer' && answer.status >= 200 && answer.status < 300)
    return { kind: 'success', afterUs: answer.afterUs }
  if (answer.kind === 'answer' && answer.status === 503)
    return failure('service unhealthy (responded with "NOT_SERVING")', answer.afterUs)
  const address = `${target.podIP}:${port}`
  return failure(
    `timeout: failed to connect service "${address}" within ${probe.timeoutSeconds}s: context deadline exceeded`,
    timeout,
  )
}

function execProbe(probe: Probe, target: ProbeTarget): ProbeOutcome | PendingProbe {
  const command = probe.exec?.command ?? []
  const timeout = seconds(probe.timeoutSeconds)
  const program = target.runtime.running(target.container.name)?.program
  if (!program) return { kind: 'error', afterUs: 0, output: 'container is not in CONTAINER_RUNNING state' }
  const missing = noSuchProgram(command)
  if (missing) return { kind: 'error', afterUs: 0, output: missing }
  const result = execIn(target.runtime, target.container, command, timeout)
  const late = failure(`command timed out: "${command.join(' ')}" timed out after ${probe.timeoutSeconds}s`, timeout)
  if (!result) return { kind: 'unmodelled', afterUs: 0, command }
  if ('goOn' in result) return pending(result, { command, timeout, late })
  if (result.afterUs >= timeout) return late
  return exited(result.exitCode, result.afterUs)
}

const exited = (exitCode: number, afterUs: Us): ProbeOutcome =>
  exitCode === 0 ? { kind: 'success', afterUs } : failure('', afterUs)

/** The runtime kills the command when its time is up: what it waited for is given up. */
const pending = (
  underWay: UnderWay,
  { command, timeout, late }: { command: readonly string[]; timeout: Us; late: ProbeOutcome },
): PendingProbe => ({
  kind: 'pending',
  begin(clock, ended) {
    const startedAt = clock.now
    const timer = clock.after(timeout, () => {
      giveUp()
      ended(late)
    })
    const giveUp = underWay.goOn(clock, (exitCode) => {
      timer.cancel()
      const afterUs = clock.now - startedAt
      ended(exitCode === undefined ? { kind: 'unmodelled', afterUs, command } : exited(exitCode, afterUs))
    })
    return () => {
      timer.cancel()
      giveUp()
    }
  },
})

const REFUSED = { kind: 'refused' } as const

/** Whether a probe's `host` names something other than the pod. */
const elsewhere = (host: string | undefined, target: ProbeTarget): boolean => !!host && host !== target.podIP

const unknownPort = (port: string | number): ProbeOutcome => ({
  kind: 'error',
  afterUs: 0,
  output: typeof port === 'number' ? `invalid port number: ${port}` : `strconv.Atoi: parsing "${port}": invalid syntax`,
})
