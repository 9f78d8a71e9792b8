import type { Container, Pod } from '../kube/objects.ts'
import { ms, seconds, toSeconds, type Us } from '../world/time.ts'
import { resolvePort } from './pod-access.ts'
import { isSidecar } from './pod-runtime.ts'
import type { Program, ProgramContext, RunningProgram } from './program.ts'
import { type CommandOutcome, understand } from './shell.ts'

/** What is taken of a program nobody has described. */
export interface PlainAssumptions {
  /** From the start of the process until it listens. */
  readonly startsIn: Us
  /** From SIGTERM until it has exited. */
  readonly stopsIn: Us
  /** Its exit code after SIGTERM: 0 where the program handles it, 143 where it dies of it. */
  readonly exitCode: number
  /** How long an init container takes; it succeeds. */
  readonly initTakes: Us
  /** How long a GET takes, in the kubelet's eyes. */
  readonly answersIn: Us
  /** CPU it uses all the time, and its memory. */
  readonly cpuCores: number
  readonly memoryBytes: number
}

export const plainAssumptions: PlainAssumptions = {
  startsIn: seconds(2),
  stopsIn: ms(500),
  exitCode: 0,
  initTakes: seconds(2),
  answersIn: ms(2),
  cpuCores: 0.01,
  memoryBytes: 64 * 2 ** 20,
}

/**
 * A program for images the simulator does not know: a server that listens on the container's declared ports and those its own
 * probes name, but for those of another container of its pod, and answers 200 everywhere. What metrics it has nobody knows: a scrape of it succeeds and finds none. An init container ends well after a while. `sleep`, `true` and the like are run as
 * they are; as a container's first process they do not hear SIGTERM.
 */
export function plainProgram(assumed: Partial<PlainAssumptions> = {}): Program {
  const times = { ...plainAssumptions, ...assumed }
  return {
    name: 'plain',
    start(context) {
      const { pod, container } = context
      const command = container.command ? [...container.command, ...(container.args ?? [])] : undefined
      const script = command && understand(command)
      if (script) return runToEnd(context, script)
      if (isInit(pod, container)) return runToEnd(context, { exitCode: 0, afterUs: times.initTakes })
      return serve(context, times)
    },
  }
}

/** A program that ends well after a time, whatever its command. */
export const programThatEnds = (afterUs: Us): Program => ({
  name: 'plain',
  start: (context) => runToEnd(context, { exitCode: 0, afterUs }),
})

/** A plain program for every container. */
export const plainPrograms =
  (assumed: Partial<PlainAssumptions> = {}): ((pod: Pod, container: Container) => Program) =>
  () =>
    plainProgram(assumed)

const isInit = (pod: Pod, container: Container): boolean =>
  !isSidecar(container) && (pod.spec.initContainers ?? []).some((c) => c.name === container.name)

function runToEnd({ clock, exit }: ProgramContext, { exitCode, afterUs }: CommandOutcome): RunningProgram {
  const timer = Number.isFinite(afterUs) ? clock.after(afterUs, () => exit(exitCode)) : undefined
  return {
    httpGet: () => ({ kind: 'refused' }),
    accepts: () => false,
    signal: (signal) => {
      if (signal === 'SIGKILL') timer?.cancel()
    },
  }
}

function serve({ clock, pod, container, exit }: ProgramContext, times: PlainAssumptions): RunningProgram {
  const ports = portsOf(container, pod)
  const startedAt = clock.now
  const listensAt = startedAt + times.startsIn
  let stopping = false
  let over = false
  const accepts = (port: number) => ports.has(port) && !over && clock.now >= listensAt
  return {
    accepts,
    exposition: (port) => (accepts(port) ? [] : undefined),
    usage: () => ({
      cpuSeconds: 0.05 + times.cpuCores * toSeconds(clock.now - startedAt),
      memoryBytes: times.memoryBytes,
    }),
    httpGet: (port) =>
      accepts(port) ? { kind: 'answer', status: 200, afterUs: times.answersIn } : { kind: 'refused' },
    signal(signal) {
      if (signal === 'SIGKILL') over = true
      else if (!stopping) {
        stopping = true
        clock.after(times.stopsIn, () => {
          if (over) return
          over = true
          exit(times.exitCode)
        })
      }
    },
  }
}

/** Containers of a pod share one address: a port that another one declares or has probed is the other's. */
function portsOf(container: Container, { spec }: Pod): ReadonlySet<number> {
  const others = [...spec.containers, ...(spec.initContainers ?? [])].filter(({ name }) => name !== container.name)
  const taken = new Set(others.flatMap((other) => [...declaredPorts(other), ...probedPorts(other)]))
  return new Set([...declaredPorts(container), ...probedPorts(container).filter((port) => !taken.has(port))])
}

const declaredPorts = ({ ports = [] }: Container): number[] => ports.map((port) => port.containerPort)

const probedPorts = (container: Container): number[] =>
  [container.startupProbe, container.livenessProbe, container.readinessProbe].flatMap((probe) => {
    const named = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port
    return (named === undefined ? undefined : resolvePort(named, container)) ?? []
  })
