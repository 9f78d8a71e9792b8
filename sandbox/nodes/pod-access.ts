import type { Container, HttpGetAction, IntOrString } from '../kube/objects.ts'
import type { MetricFamily } from '../metrics/sample.ts'
import { ms, type Us } from '../world/time.ts'
import type { PodRuntime, RuntimeContainer } from './pod-runtime.ts'
import type { PortAnswer, PostRequest } from './program.ts'
import type { AnswersLater, CommandEnvironment } from './shell/environment.ts'
import { type CommandOutcome, outcomeOf, standardFile, type UnderWay } from './shell.ts'

/** The number of a port given by number or by name in the container; undefined when no port has the name. */
export function resolvePort(port: IntOrString, container: Container): number | undefined {
  if (typeof port === 'number') return port
  const named = container.ports?.find((p) => p.name === port)?.containerPort
  if (named !== undefined) return named
  return /^\d+$/.test(port) ? Number(port) : undefined
}

/** Whether any process in the pod listens on the port: its containers share one address. */
export const podAccepts = (runtime: PodRuntime, port: number): boolean =>
  runtime.containers.some((c) => c.running && c.program?.accepts(port) === true)

/** What a GET comes to; `wrong-scheme`: one side speaks TLS and the other does not. */
export type GetAnswer = PortAnswer | { kind: 'wrong-scheme'; afterUs: Us }

/** Until the other side has answered what it cannot read; measured between Go's client and uvicorn. */
const WRONG_SCHEME_US: Us = ms(1)

/** A GET to the pod's address. Without a scheme it is one that the server understands. */
export function podGet(runtime: PodRuntime, port: number, path: string, scheme?: string): GetAnswer {
  for (const container of runtime.containers) {
    if (!container.running || !container.program) continue
    const answer = container.program.httpGet(port, path)
    if (answer.kind === 'refused') continue
    const tls = scheme === undefined ? undefined : container.program.speaksTls?.(port)
    if (tls !== undefined && tls !== (scheme === 'HTTPS')) return { kind: 'wrong-scheme', afterUs: WRONG_SCHEME_US }
    return answer
  }
  return { kind: 'refused' }
}

/** A POST to the pod's address. Undefined: the program that listens there cannot say what it would answer. */
export function podPost(
  runtime: PodRuntime,
  port: number,
  request: PostRequest,
  scheme: string,
): GetAnswer | AnswersLater | undefined {
  const program = runtime.containers.find((c) => c.running && c.program?.accepts(port))?.program
  if (!program) return { kind: 'refused' }
  const tls = program.speaksTls?.(port)
  if (tls !== undefined && tls !== (scheme === 'HTTPS')) return { kind: 'wrong-scheme', afterUs: WRONG_SCHEME_US }
  if (!program.httpPost) return undefined
  return { kind: 'later', begin: (answered) => program.httpPost!(port, request, answered) }
}

/** What the pod's containers expose on a port under a path; the first that exposes anything there. */
export function podExposition(
  runtime: PodRuntime,
  port: number,
  path: string,
  wanted?: ReadonlySet<string>,
): readonly MetricFamily[] | undefined {
  for (const container of runtime.containers) {
    const families = container.running ? container.program?.exposition?.(port, path, wanted) : undefined
    if (families) return families
  }
  return undefined
}

/** `http://10.0.0.5:8000/health`, as the kubelet's request names it. */
export function urlOf(get: HttpGetAction, host: string, port: number): string {
  const path = get.path ?? '/'
  return `${(get.scheme ?? 'HTTP').toLowerCase()}://${get.host || host}:${port}${path.startsWith('/') ? path : `/${path}`}`
}

/** What a command finds in a container: its pod's ports, its GPUs, the variables written out, the files commands made. */
export function environmentOf(runtime: PodRuntime, container: Container): CommandEnvironment {
  const instance = runtime.running(container.name)
  return {
    get: (port, path, scheme) => podGet(runtime, port, path, scheme),
    post: (port, request, scheme) => podPost(runtime, port, request, scheme),
    terminate: () => instance?.program?.signal('SIGTERM'),
    gpus: Number(container.resources.limits?.['nvidia.com/gpu'] ?? 0),
    hasFile: (path) => standardFile(path) ?? (instance && filesMade.get(instance)?.has(path) ? true : undefined),
    touch(path) {
      if (!instance) return
      const made = filesMade.get(instance) ?? new Set<string>()
      filesMade.set(instance, made.add(path))
    },
    variable(name) {
      const value = container.env?.find((one) => one.name === name)?.value
      return value?.includes('$(') ? undefined : value
    },
  }
}

/** Files that commands made in a running container. */
const filesMade = new WeakMap<RuntimeContainer, Set<string>>()

/** Runs a command in a container: what its program says it does, or what the words say. `limit` as in `outcomeOf`. */
export const execIn = (
  runtime: PodRuntime,
  container: Container,
  command: readonly string[],
  limit?: Us,
): CommandOutcome | UnderWay | undefined =>
  runtime.running(container.name)?.program?.exec?.(command) ??
  outcomeOf(command, environmentOf(runtime, container), limit)
